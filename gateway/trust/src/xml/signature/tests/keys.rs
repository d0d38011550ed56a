//! Whose key it is: KeyInfo is a hint, and the value decides.

use std::sync::Arc;

use super::*;
use crate::algorithm::SignatureFault;
use crate::testing::as_is;
use crate::xml::signature::key::{ecdsa_value, serial};
use crate::{Certificate, Snapshot};

fn data(certificates: &[&Arc<Certificate>]) -> String {
    let each = certificates.iter().map(|one| {
        let digits = STANDARD.encode(one.der());
        format!("<X509Certificate>{digits}</X509Certificate>")
    });
    format!(
        "<KeyInfo><X509Data>{}</X509Data></KeyInfo>",
        each.collect::<String>()
    )
}

fn with_key_info<'a>(signer: &'a Leaf, key_info: &str) -> Draft<'a> {
    Draft {
        key_info: Some(key_info.to_owned()),
        ..Draft::enveloped(signer)
    }
}

/// The certificate of the only signature.
fn signer_of(text: &str, key: Option<&PublicKey>) -> Result<Option<Arc<Certificate>>, Failure> {
    let tree = tree(text);
    let mut results = integrity(&tree, Dialect::Standard, key, &Policy::default(), now());
    results.remove(0).map(|intact| intact.certificate().cloned())
}

#[test]
fn the_certificate_of_the_signer_is_found_in_any_order() {
    let world = World::new();
    let (leaf, issuing, root) = (
        &world.organisation.certificate,
        &world.issuing.certificate,
        &world.root.certificate,
    );
    let other = &world.person.certificate;
    for order in [
        &[leaf, issuing, root][..],
        &[root, issuing, leaf],
        &[issuing, leaf, leaf],
        &[other, leaf],
        &[root, other, issuing, leaf],
    ] {
        let text = with_key_info(&world.organisation, &data(order)).sign("<a>{}</a>");
        assert_eq!(signer_of(&text, None), Ok(Some(Arc::clone(leaf))));
    }
    let text = with_key_info(&world.organisation, &data(&[issuing, root])).sign("<a>{}</a>");
    assert_eq!(signer_of(&text, None), Err(Failure::SignatureWrong));
    let text = with_key_info(&world.organisation, &data(&[other])).sign("<a>{}</a>");
    assert_eq!(
        signer_of(&text, None),
        Err(Failure::SignatureAlgorithmUnknown { certificate: None })
    );
}

#[test]
fn two_certificates_of_one_key_leave_the_signer_open() {
    let world = World::new();
    let (one, other) = (
        world.issuing.rsa_leaf("One", 7),
        world.issuing.rsa_leaf("Other", 8),
    );
    let both = data(&[&one.certificate, &other.certificate]);
    let text = with_key_info(&one, &both).sign("<a>{}</a>");
    assert_eq!(signer_of(&text, None), Err(Failure::SignerCertificateAmbiguous));
    let text = with_key_info(&one, &data(&[&one.certificate])).sign("<a>{}</a>");
    assert_eq!(signer_of(&text, None), Ok(Some(one.certificate)));
}

#[test]
fn what_is_no_certificate_is_as_good_as_absent() {
    let world = World::new();
    let digits = certificate(&world.organisation);
    for junk in [
        "<X509Certificate>MIIF</X509Certificate>",
        "<X509Certificate>*</X509Certificate>",
        "<X509CRL/>",
    ] {
        let key_info = format!("<KeyInfo><KeyName>n</KeyName><X509Data>{junk}{digits}</X509Data></KeyInfo>");
        let text = with_key_info(&world.organisation, &key_info).sign("<a>{}</a>");
        assert!(check(&text)[0].is_ok());
        let text = text.replace(&digits, "");
        assert_eq!(failure(&text), Failure::SignerCertificateAbsent);
    }
    let text = with_key_info(&world.organisation, "").sign("<a>{}</a>");
    assert_eq!(failure(&text), Failure::SignerCertificateAbsent);
}

/// RSAKeyValue, ECKeyValue and DEREncodedKeyValue.
fn key_values(signer: &Leaf) -> Vec<String> {
    let key = signer.certificate.key();
    let der = format!(
        r#"<KeyInfo><e:DEREncodedKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#">{}</e:DEREncodedKeyValue></KeyInfo>"#,
        STANDARD.encode(key.info_der())
    );
    let value = if is_rsa(signer) {
        let mut numbers = Reader::sole(key.octets(), tag::SEQUENCE).expect("a key").reader();
        let mut number = || STANDARD.encode(numbers.integer().expect("a number"));
        format!(
            "<RSAKeyValue><Modulus>{}</Modulus><Exponent>{}</Exponent></RSAKeyValue>",
            number(),
            number()
        )
    } else {
        format!(
            r#"<ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#"><NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/><PublicKey>{}</PublicKey></ECKeyValue>"#,
            STANDARD.encode(key.octets())
        )
    };
    vec![der, format!("<KeyInfo><KeyValue>{value}</KeyValue></KeyInfo>")]
}

#[test]
fn a_bare_key_is_enough_for_integrity_and_a_certificate_comes_first() {
    let world = World::new();
    for signer in [&world.person, &world.organisation] {
        for key_info in key_values(signer) {
            let text = with_key_info(signer, &key_info).sign("<a>{}</a>");
            assert_eq!(signer_of(&text, None), Ok(None));
            let other = world.issuing.leaf("Other", 9, as_is);
            let other = with_key_info(&other, &key_info);
            assert!(signer_of(&other.sign("<a>{}</a>"), None).is_err());
            let both = key_info.replace("</KeyInfo>", &data(&[&signer.certificate])["<KeyInfo>".len()..]);
            let text = with_key_info(signer, &both).sign("<a>{}</a>");
            assert_eq!(signer_of(&text, None), Ok(Some(Arc::clone(&signer.certificate))));
        }
    }
}

#[test]
fn the_given_key_is_for_signatures_that_bring_none() {
    let world = World::new();
    let (right, wrong) = (
        world.organisation.certificate.key(),
        world.issuing.certificate.key(),
    );
    let without = with_key_info(&world.organisation, "<KeyInfo><KeyName>n</KeyName></KeyInfo>");
    let text = without.sign("<a>{}</a>");
    assert_eq!(signer_of(&text, Some(right)), Ok(None));
    assert_eq!(signer_of(&text, Some(wrong)), Err(Failure::SignatureWrong));
    let of_rsa = world.person.certificate.key();
    assert_eq!(
        signer_of(&text, Some(of_rsa)),
        Err(Failure::SignatureAlgorithmUnknown { certificate: None })
    );
    let text = Draft::enveloped(&world.organisation).sign("<a>{}</a>");
    assert!(signer_of(&text, Some(wrong)).is_ok());
}

#[test]
fn a_certificate_that_is_only_named_is_taken_from_the_snapshot() {
    let world = World::new();
    let leaf = &world.organisation.certificate;
    let candidates = vec![Arc::clone(&world.issuing.certificate), Arc::clone(leaf)];
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let lists = vec![world.root.list(&[]), world.issuing.list(&[])];
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    let digest = STANDARD.encode(leaf.fingerprint().as_bytes());
    let identifier = leaf.subject_key_identifier().map(|one| STANDARD.encode(one));
    let mut named = vec![
        "<X509IssuerSerial><X509IssuerName>CN=?</X509IssuerName><X509SerialNumber>101</X509SerialNumber></X509IssuerSerial>".to_owned(),
        format!(r#"<e:X509Digest xmlns:e="http://www.w3.org/2009/xmldsig11#" Algorithm="{SHA256}">{digest}</e:X509Digest>"#),
    ];
    named.extend(identifier.map(|one| format!("<X509SKI>{one}</X509SKI>")));
    let mut key_infos: Vec<String> = named
        .iter()
        .map(|hint| format!("<KeyInfo><X509Data>{hint}</X509Data></KeyInfo>"))
        .collect();
    key_infos.extend(key_values(&world.organisation));
    for key_info in key_infos {
        let text = with_key_info(&world.organisation, &key_info).sign("<a>{}</a>");
        let tree = tree(&text);
        let seals = validate(&tree, Dialect::Standard, &snapshot, now());
        assert!(
            seals[0].report().is_passed(),
            "{key_info}: {:?}",
            seals[0].report().failure
        );
        let seals = validate(&tree, Dialect::Standard, &world.good(), now());
        assert_eq!(seals[0].report().failure, Some(Failure::SignerCertificateAbsent));
    }
    let other = "<KeyInfo><X509Data><X509IssuerSerial><X509IssuerName/><X509SerialNumber>102</X509SerialNumber></X509IssuerSerial></X509Data></KeyInfo>";
    let text = with_key_info(&world.organisation, other).sign("<a>{}</a>");
    let tree = tree(&text);
    let seals = validate(&tree, Dialect::Standard, &snapshot, now());
    assert_eq!(seals[0].report().failure, Some(Failure::SignerCertificateAbsent));
}

#[test]
fn the_two_numbers_of_ecdsa_have_one_length() {
    let world = World::new();
    let text = Draft::enveloped(&world.organisation).sign("<a>{}</a>");
    let digits = {
        let tree = tree(&text);
        named(&tree, "SignatureValue").text().into_owned()
    };
    let raw = STANDARD.decode(&digits).expect("base64");
    let (r, s) = raw.split_at(32);
    let with = |value: &[u8]| text.replace(&digits, &STANDARD.encode(value));
    assert!(check(&with(&raw))[0].is_ok());
    let der = ecdsa_value(&raw, KeyKind::EcP256).expect("a value");
    for bad in [
        [&[0], r, &[0], s].concat(),
        [r, &s[..31]].concat(),
        [s, r].concat(),
        vec![0; 64],
        vec![],
        der,
    ] {
        assert_eq!(failure(&with(&bad)), Failure::SignatureWrong, "{bad:?}");
    }
    // Zeros that both begin with say nothing.
    let numbers = |length: usize| {
        let zeros = vec![0; length - 1];
        ecdsa_value(&[&zeros[..], &[1], &zeros, &[2]].concat(), KeyKind::EcP521)
    };
    assert_eq!(numbers(66), Ok(vec![0x30, 6, 2, 1, 1, 2, 1, 2]));
    assert_eq!(numbers(64), numbers(66));
    assert_eq!(numbers(67), Err(SignatureFault::Wrong));
    assert_eq!(
        ecdsa_value(&raw, KeyKind::Rsa(2048)),
        Err(SignatureFault::Unsupported)
    );
}

#[test]
fn decimal_serial_numbers_are_octets() {
    for (digits, octets) in [
        ("0", &[0][..]),
        ("00127", &[127]),
        ("128", &[0, 128]),
        (" 256\n", &[1, 0]),
        ("65535", &[0, 255, 255]),
        ("18446744073709551616", &[1, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        assert_eq!(serial(digits).as_deref(), Some(octets), "{digits}");
    }
    for bad in ["", "-1", "0x1", "1 2", &"1".repeat(65)] {
        assert_eq!(serial(bad), None, "{bad}");
    }
}
