//! Certificates and lists, read back by another library.

use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::*;

fn now() -> Timestamp {
    "2026-03-02T03:04:05Z".parse().expect("a timestamp")
}

fn parsed(der: &[u8]) -> X509Certificate<'_> {
    let (rest, certificate) = X509Certificate::from_der(der).expect("a certificate");
    assert!(rest.is_empty());
    certificate
}

#[test]
fn a_leaf_chains_to_the_root_and_has_the_usage_of_the_field() {
    let pki = Hierarchy::new("http://127.0.0.1:1", now());
    let leaf = pki.person("Nguyễn Văn A", "Sở Nội vụ");
    let (root, issuing, person) = (
        parsed(&pki.root.certificate),
        parsed(&pki.issuing.certificate),
        parsed(&leaf.certificate),
    );
    root.verify_signature(None).expect("self-signed");
    issuing
        .verify_signature(Some(root.public_key()))
        .expect("signed by the root");
    person
        .verify_signature(Some(issuing.public_key()))
        .expect("signed by the issuing authority");
    assert_eq!(leaf.chain, std::slice::from_ref(&pki.issuing.certificate));
    assert_eq!(person.raw_serial(), leaf.serial);

    let usage = person.key_usage().expect("well-formed").expect("present");
    assert!(usage.critical);
    let flags = usage.value;
    assert!(
        flags.digital_signature()
            && flags.non_repudiation()
            && flags.key_encipherment()
            && flags.data_encipherment()
    );
    assert!(!flags.key_cert_sign());
    let constraints = issuing
        .basic_constraints()
        .expect("well-formed")
        .expect("present")
        .value;
    assert!(constraints.ca && constraints.path_len_constraint == Some(0));
    assert_eq!(
        person.validity().not_before.timestamp(),
        pki.validity.not_before.as_second()
    );
}

#[test]
fn a_list_revokes_whom_the_plan_names() {
    let pki = Hierarchy::new("http://127.0.0.1:1", now());
    let (good, bad) = (pki.organisation("Sở A", "UBND"), pki.organisation("Sở B", "UBND"));
    let plan = RevocationPlan::none(now()).and(&bad.serial, now());
    let der = pki.issuing.revocation_list(&plan);
    let (_, list) = CertificateRevocationList::from_der(&der).expect("a list");
    list.verify_signature(parsed(&pki.issuing.certificate).public_key())
        .expect("signed by the issuing authority");
    let revoked: Vec<&[u8]> = list
        .iter_revoked_certificates()
        .map(|entry| entry.raw_serial())
        .collect();
    assert_eq!(revoked, [&bad.serial[..]]);
    assert_ne!(good.serial, bad.serial);
    assert_eq!(list.crl_number().expect("present").to_string(), "2");
    assert_eq!(
        list.next_update().expect("present").timestamp(),
        plan.next_update.as_second()
    );
}

#[test]
fn what_is_written_can_be_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let pki = Hierarchy::new("http://127.0.0.1:1", now());
    pki.write(folder.path(), &RevocationPlan::none(now()));
    pki.device("Trục", "Sở A").write(folder.path(), "device");
    let pem = std::fs::read(folder.path().join("issuing.crt")).expect("written");
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).expect("PEM");
    assert_eq!(pem.contents, pki.issuing.certificate);
    for name in ["root.crl", "issuing.crl"] {
        let list = std::fs::read(folder.path().join(name)).expect("written");
        CertificateRevocationList::from_der(&list).expect("a list");
    }
    let key = std::fs::read_to_string(folder.path().join("device.key")).expect("written");
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
}
