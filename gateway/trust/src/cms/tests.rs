//! Signatures made and judged; every damage is noticed.

mod archived;
mod attributes;
mod stamped;

use proptest::prelude::*;

use super::*;
use crate::asn1::{oid, tag, write};
use crate::report::{Indication, Remark, SubIndication};
use crate::testing::{World, as_is, now};

const CONTENT: &[u8] = b"the content";

fn sole(mut reports: Vec<SealReport>) -> SealReport {
    assert_eq!(reports.len(), 1);
    reports.pop().expect("one report")
}

#[test]
fn a_detached_signature_of_either_kind_of_key_passes() {
    let world = World::new();
    let snapshot = world.good();
    for (leaf, algorithm) in [
        (
            &world.person,
            crate::SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
        ),
        (
            &world.organisation,
            crate::SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
        ),
    ] {
        let report = sole(validate(&leaf.sign(CONTENT), CONTENT, &snapshot, now()));
        assert_eq!(report.indication, Indication::TotalPassed, "{:?}", report.failure);
        assert_eq!(report.signer.as_deref(), Some(&*leaf.certificate));
        assert_eq!(report.chain.len(), 3);
        assert_eq!(report.revocation.len(), 2);
        assert_eq!(report.algorithm, Some(algorithm));
        assert_eq!(report.claimed_signing_time, Some(now()));
        assert!(report.remarks.is_empty());
    }
}

#[test]
fn an_attached_signature_hands_out_its_content() {
    let world = World::new();
    let leaf = &world.organisation;
    let signature =
        sign(Content::Attached(CONTENT), &leaf.key, &[&leaf.certificate], now()).expect("a signature");
    let (reports, content) = validate_attached(&signature, &world.good(), now());
    assert_eq!(sole(reports).indication, Indication::TotalPassed);
    assert_eq!(content.as_deref(), Some(CONTENT));
    let report = sole(validate(&signature, CONTENT, &world.good(), now()));
    assert_eq!(report.failure, Some(Failure::ContentMisplaced));
    assert!(integrity(&signature, None, &Policy::default(), now())[0].is_ok());
}

#[test]
fn another_content_is_a_hash_failure() {
    let world = World::new();
    let report = sole(validate(
        &world.person.sign(CONTENT),
        b"another content",
        &world.good(),
        now(),
    ));
    assert_eq!(
        report.indication,
        Indication::TotalFailed(SubIndication::HashFailure)
    );
}

#[test]
fn zero_octets_may_follow_and_others_may_not() {
    let world = World::new();
    let mut signature = world.person.sign(CONTENT);
    signature.extend([0; 100]);
    let report = sole(validate(&signature, CONTENT, &world.good(), now()));
    assert!(report.is_passed());
    assert_eq!(report.remarks, [Remark::PaddingIgnored]);
    signature.push(1);
    let report = sole(validate(&signature, CONTENT, &world.good(), now()));
    assert_eq!(
        report.indication,
        Indication::TotalFailed(SubIndication::FormatFailure)
    );
}

#[test]
fn a_signer_whose_revocation_is_unknown_is_tried_later() {
    let world = World::new();
    let report = sole(validate(
        &world.person.sign(CONTENT),
        CONTENT,
        &world.snapshot(vec![]),
        now(),
    ));
    assert!(report.is_try_later());
    assert_eq!(report.needs.len(), 2);
}

#[test]
fn a_signature_without_its_certificate_finds_it_in_the_snapshot() {
    let world = World::new();
    let signature = without_certificates(&world.organisation.sign(CONTENT));
    let report = sole(validate(&signature, CONTENT, &world.good(), now()));
    assert_eq!(report.failure, Some(Failure::SignerCertificateAbsent));
    let snapshot = Snapshot::new(
        vec![Arc::clone(&world.root.certificate)],
        vec![
            Arc::clone(&world.issuing.certificate),
            Arc::clone(&world.organisation.certificate),
        ],
        vec![world.root.list(&[]), world.issuing.list(&[])],
        Policy::default(),
        1,
    );
    assert!(sole(validate(&signature, CONTENT, &snapshot, now())).is_passed());
}

/// The signature without its `[0] certificates`.
fn without_certificates(signature: &[u8]) -> Vec<u8> {
    use crate::asn1::Reader;
    let mut info = Reader::new(signature).sequence().expect("ContentInfo");
    let identifier = info.next().expect("contentType");
    let signed_data = info.enter(0xA0).and_then(|mut explicit| explicit.sequence());
    let mut signed_data = signed_data.expect("SignedData");
    let mut parts = Vec::new();
    while !signed_data.is_empty() {
        let part = signed_data.next().expect("a part");
        if part.tag != 0xA0 {
            parts.extend_from_slice(part.whole);
        }
    }
    let explicit = write::element(0xA0, &write::element(tag::SEQUENCE, &parts));
    write::constructed(tag::SEQUENCE, &[identifier.whole, &explicit])
}

/// The same octets with every constructed length indefinite.
fn indefinite(der: &[u8]) -> Vec<u8> {
    let mut reader = crate::asn1::Reader::new(der);
    let mut ber = Vec::new();
    while let Ok(element) = reader.next() {
        if element.tag & 0x20 == 0 {
            ber.extend_from_slice(element.whole);
        } else {
            ber.extend([element.tag, 0x80]);
            ber.extend(indefinite(element.content));
            ber.extend([0, 0]);
        }
    }
    ber
}

#[test]
fn a_signature_in_ber_passes() {
    let world = World::new();
    let ber = indefinite(&world.person.sign(CONTENT));
    assert!(sole(validate(&ber, CONTENT, &world.good(), now())).is_passed());
}

#[test]
fn every_octet_counts() {
    let world = World::new();
    let snapshot = world.good();
    let signature = world.organisation.sign(CONTENT);
    let honest = sole(validate(&signature, CONTENT, &snapshot, now()));
    for at in 0..signature.len() {
        for bit in [0x01, 0x80] {
            let mut damaged = signature.clone();
            damaged[at] ^= bit;
            for report in validate(&damaged, CONTENT, &snapshot, now()) {
                // digestAlgorithms and versions are announcements: what is verified does not depend on them.
                let is_same = report.signer == honest.signer && report.algorithm == honest.algorithm;
                assert!(
                    !report.is_passed() || is_same,
                    "octet {at} was changed and another signature passed"
                );
            }
        }
    }
}

#[test]
fn several_signers_are_judged_one_by_one() {
    let world = World::new();
    let one = world.person.sign(CONTENT);
    let results = integrity(&one, Some(CONTENT), &Policy::default(), now());
    assert_eq!(results, [Ok(Arc::clone(&world.person.certificate))]);
    let weak = world.issuing.leaf("Weak", 1, as_is);
    let list = world.issuing.list(&[(1, rcgen::RevocationReason::Superseded)]);
    let snapshot = world.snapshot(vec![world.root.list(&[]), list]);
    let merged = merge(&one, &weak.sign(CONTENT));
    let reports = validate(&merged, CONTENT, &snapshot, now());
    let indications: Vec<Indication> = reports.iter().map(|report| report.indication).collect();
    assert_eq!(indications.len(), 2);
    assert!(indications.contains(&Indication::TotalPassed));
    assert!(indications.contains(&Indication::Indeterminate(SubIndication::RevokedNoPoe)));
}

#[test]
fn all_signers_of_a_file_share_one_budget() {
    let world = World::new();
    let mut signature = world.organisation.sign(CONTENT);
    for serial in 200..208 {
        signature = merge(
            &signature,
            &world.issuing.leaf("Leaf", serial, as_is).sign(CONTENT),
        );
    }
    let judge = |signature_checks_max| {
        let policy = Policy {
            signature_checks_max,
            ..Policy::default()
        };
        let anchors = vec![Arc::clone(&world.root.certificate)];
        let candidates = vec![Arc::clone(&world.issuing.certificate)];
        let lists = vec![world.root.list(&[]), world.issuing.list(&[])];
        let snapshot = Snapshot::new(anchors, candidates, lists, policy, 1);
        let reports = validate(&signature, CONTENT, &snapshot, now());
        assert_eq!(reports.len(), 9);
        reports.into_iter().filter(SealReport::is_passed).count()
    };
    // A value and a certificate for each signer; the issuing certificate and two lists for all.
    assert_eq!(judge(22), 9);
    assert!((1..9).contains(&judge(12)));
}

/// One SignedData with the certificates and signers of both.
fn merge(one: &[u8], other: &[u8]) -> Vec<u8> {
    use crate::asn1::Reader;
    let parts = |signature| {
        let mut info = Reader::new(signature).sequence().expect("ContentInfo");
        info.next().expect("contentType");
        let mut signed_data = info
            .enter(0xA0)
            .and_then(|mut explicit| explicit.sequence())
            .expect("SignedData");
        let mut parts = Vec::new();
        while !signed_data.is_empty() {
            parts.push(signed_data.next().expect("a part"));
        }
        parts
    };
    let (one, other) = (parts(one), parts(other));
    let both = |index: usize| [one[index].content, other[index].content].concat();
    let signed_data = write::constructed(
        tag::SEQUENCE,
        &[
            one[0].whole,
            one[1].whole,
            one[2].whole,
            &write::element(0xA0, &both(3)),
            &write::element(tag::SET, &both(4)),
        ],
    );
    let explicit = write::element(0xA0, &signed_data);
    write::constructed(
        tag::SEQUENCE,
        &[&write::object_identifier(&oid::CONTENT_SIGNED_DATA), &explicit],
    )
}

proptest! {
    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(integrity(&bytes, Some(CONTENT), &Policy::default(), now())[0].is_err());
    }
}

#[test]
fn no_damaged_signature_panics() {
    let world = World::new();
    let signature = world.organisation.sign(CONTENT);
    let snapshot = world.good();
    proptest!(ProptestConfig::with_cases(2000), |(at in 0..signature.len(), octet: u8, cut in 0..signature.len())| {
        let mut damaged = signature.clone();
        damaged[at] = octet;
        prop_assert!(!validate(&damaged, CONTENT, &snapshot, now()).is_empty());
        prop_assert!(!validate(&damaged[..cut], CONTENT, &snapshot, now())[0].is_passed());
    });
}
