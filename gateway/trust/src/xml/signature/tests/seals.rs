//! The whole judgement: path and revocation included.

use super::*;
use crate::report::{Indication, SubIndication};
use crate::{RevocationList, Snapshot};

fn seal(text: &str, snapshot: &Snapshot) -> (SealReport, usize) {
    let tree = tree(text);
    let seals = validate(&tree, Dialect::Standard, snapshot, now());
    let [seal] = &seals[..] else {
        panic!("one signature");
    };
    assert_eq!(seal.covers_document(), seal.report().is_passed());
    assert_eq!(seal.signature(), named(&tree, "Signature"));
    (seal.report().clone(), seal.covered().len())
}

#[test]
fn a_good_signature_has_its_path_and_proofs() {
    let world = World::new();
    let text = Draft::enveloped(&world.person).sign("<a>1{}</a>");
    let (report, covered) = seal(&text, &world.good());
    assert_eq!(report.indication, Indication::TotalPassed);
    assert_eq!(report.failure, None);
    assert_eq!(covered, 1);
    assert_eq!(report.signer.as_ref(), Some(&world.person.certificate));
    assert_eq!(report.chain.len(), 3);
    assert_eq!(report.revocation.len(), 2);
    assert_eq!(
        report.algorithm,
        Some(SignatureAlgorithm::RsaPkcs1(crate::DigestAlgorithm::Sha256))
    );
    let (report, covered) = seal(&text.replace("<a>1", "<a>2"), &world.good());
    assert_eq!(
        report.indication,
        Indication::TotalFailed(SubIndication::HashFailure)
    );
    assert_eq!((report.chain.len(), covered), (0, 0));
}

#[test]
fn what_does_not_pass_hands_out_nothing() {
    let world = World::new();
    let text = Draft::enveloped(&world.organisation).sign("<a>1{}</a>");
    let unknown: Vec<Arc<RevocationList>> = vec![world.root.list(&[])];
    let (report, covered) = seal(&text, &world.snapshot(unknown));
    assert!(report.is_try_later());
    assert_eq!((report.needs.len(), covered), (1, 0));
    let revoked = world
        .issuing
        .list(&[(101, rcgen::RevocationReason::KeyCompromise)]);
    let (report, covered) = seal(&text, &world.snapshot(vec![world.root.list(&[]), revoked]));
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::RevokedNoPoe)
    );
    assert_eq!(covered, 0);
    let elsewhere = World::new();
    let (report, covered) = seal(&text, &elsewhere.good());
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::NoCertificateChainFound)
    );
    assert_eq!(covered, 0);
}

#[test]
fn a_bare_key_is_nobody() {
    let world = World::new();
    let digits = STANDARD.encode(world.organisation.certificate.spki());
    let draft = Draft {
        key_info: Some(format!(
            r#"<KeyInfo><e:DEREncodedKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#">{digits}</e:DEREncodedKeyValue></KeyInfo>"#
        )),
        ..Draft::enveloped(&world.organisation)
    };
    let text = draft.sign("<a>1{}</a>");
    assert!(check(&text)[0].is_ok());
    let (report, covered) = seal(&text, &world.good());
    assert_eq!(report.failure, Some(Failure::SignerCertificateAbsent));
    assert_eq!(covered, 0);
}

#[test]
fn what_is_refused_for_its_form_has_its_indication() {
    let world = World::new();
    let text = Draft::enveloped(&world.organisation).sign("<a>1{}</a>");
    for (from, to, indication) in [
        (
            "<SignatureValue>",
            "<SignatureValue>*",
            Indication::TotalFailed(SubIndication::FormatFailure),
        ),
        (
            r#"URI="""#,
            r#"URI="x""#,
            Indication::Indeterminate(SubIndication::SignedDataNotFound),
        ),
        (
            SHA256,
            "md5",
            Indication::Indeterminate(SubIndication::CryptoConstraintsFailureNoPoe),
        ),
        (
            EXC_C14N,
            "xpath",
            Indication::Indeterminate(SubIndication::SigConstraintsFailure),
        ),
        (
            "<a>1",
            "<a><b Id='i'/><b Id='i'/>1",
            Indication::TotalFailed(SubIndication::FormatFailure),
        ),
        (
            C14N,
            EXC_C14N,
            Indication::TotalFailed(SubIndication::SigCryptoFailure),
        ),
    ] {
        let (report, covered) = seal(&text.replacen(from, to, 1), &world.good());
        assert_eq!(report.indication, indication, "{to}");
        assert_eq!(covered, 0);
    }
    let text = Draft::new(&world.organisation, reference("#i", &[])).sign("<a><b Id='i'/>{}</a>");
    let absent = text.replace("Id='i'", "Id='j'");
    let tree = tree(&absent);
    let seals = validate(&tree, Dialect::Standard, &world.good(), now());
    let indication = seals[0].report().indication;
    assert_eq!(
        indication,
        Indication::Indeterminate(SubIndication::SignedDataNotFound)
    );
}
