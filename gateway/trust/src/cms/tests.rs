//! Signatures made and judged; every damage is noticed.

use proptest::prelude::*;

use super::*;
use crate::asn1::{oid, tag, write};
use crate::report::{Indication, Remark, SignedAttribute, SubIndication};
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

/// A SignedData of several parts, for what no honest signer makes.
struct Made {
    attributes: Vec<Vec<u8>>,
    is_sorted: bool,
    has_attributes: bool,
    digest: const_oid::ObjectIdentifier,
    content_type: const_oid::ObjectIdentifier,
}

impl Made {
    fn honest() -> Self {
        let digest = DigestAlgorithm::Sha256.digest(&[CONTENT]);
        Self {
            attributes: vec![
                attribute(
                    &oid::ATTRIBUTE_CONTENT_TYPE,
                    &write::object_identifier(&oid::CONTENT_DATA),
                ),
                attribute(
                    &oid::ATTRIBUTE_MESSAGE_DIGEST,
                    &write::element(tag::OCTET_STRING, digest.as_ref()),
                ),
            ],
            is_sorted: true,
            has_attributes: true,
            digest: oid::DIGEST_SHA256,
            content_type: oid::CONTENT_DATA,
        }
    }

    fn build(&self, world: &World) -> Vec<u8> {
        let leaf = &world.organisation;
        let sent = self.attributes.concat();
        let signed = match (self.has_attributes, self.is_sorted) {
            (false, _) => CONTENT.to_vec(),
            (true, true) => write::set_of(tag::SET, self.attributes.clone()),
            (true, false) => write::element(tag::SET, &sent),
        };
        let value = leaf.key.sign(&signed).expect("a value");
        let certificate = &leaf.certificate;
        let serial = write::element(tag::INTEGER, certificate.serial());
        let digest = write::element(tag::SEQUENCE, &write::object_identifier(&self.digest));
        let attributes = write::element(0xA0, &sent);
        let info = write::constructed(
            tag::SEQUENCE,
            &[
                &[2, 1, 1],
                &write::constructed(tag::SEQUENCE, &[certificate.issuer().der(), &serial]),
                &digest,
                if self.has_attributes { &attributes } else { &[] },
                &write::element(tag::SEQUENCE, &write::object_identifier(&oid::ECDSA_SHA256)),
                &write::element(tag::OCTET_STRING, &value),
            ],
        );
        let content = write::element(tag::SEQUENCE, &write::object_identifier(&self.content_type));
        let signed_data = write::constructed(
            tag::SEQUENCE,
            &[
                &[2, 1, 1],
                &write::element(tag::SET, &digest),
                &content,
                &write::element(0xA0, certificate.der()),
                &write::element(tag::SET, &info),
            ],
        );
        let explicit = write::element(0xA0, &signed_data);
        write::constructed(
            tag::SEQUENCE,
            &[&write::object_identifier(&oid::CONTENT_SIGNED_DATA), &explicit],
        )
    }

    fn judge(&self) -> SealReport {
        let world = World::new();
        sole(validate(&self.build(&world), CONTENT, &world.good(), now()))
    }
}

fn attribute(identifier: &const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::constructed(
        tag::SEQUENCE,
        &[
            &write::object_identifier(identifier),
            &write::element(tag::SET, value),
        ],
    )
}

#[test]
fn attributes_are_taken_as_sent_and_in_the_order_of_der() {
    let mut made = Made::honest();
    assert_eq!(made.judge().remarks, [Remark::SigningCertificateAbsent]);
    made.attributes.sort();
    made.attributes.reverse();
    let report = made.judge();
    assert!(report.is_passed());
    assert!(report.remarks.contains(&Remark::AttributesReordered));
    made.is_sorted = false;
    let report = made.judge();
    assert!(report.is_passed());
    assert!(!report.remarks.contains(&Remark::AttributesReordered));
}

#[test]
fn a_signature_without_attributes_is_refused() {
    let made = Made {
        has_attributes: false,
        ..Made::honest()
    };
    assert_eq!(made.judge().failure, Some(Failure::SignedAttributesAbsent));
}

#[test]
fn attributes_that_must_be_there_once_are_there_once() {
    for (index, name) in [
        (0, SignedAttribute::ContentType),
        (1, SignedAttribute::MessageDigest),
    ] {
        let mut absent = Made::honest();
        absent.attributes.remove(index);
        assert_eq!(absent.judge().failure, Some(Failure::AttributeAbsent(name)));
        let mut twice = Made::honest();
        twice.attributes.push(twice.attributes[index].clone());
        assert_eq!(twice.judge().failure, Some(Failure::AttributeRepeated(name)));
    }
    let mut values = Made::honest();
    let value = write::object_identifier(&oid::CONTENT_DATA);
    values.attributes[0] = attribute(&oid::ATTRIBUTE_CONTENT_TYPE, &[&value[..], &value].concat());
    assert_eq!(
        values.judge().failure,
        Some(Failure::AttributeRepeated(SignedAttribute::ContentType))
    );
}

#[test]
fn another_type_of_content_is_refused() {
    let mut made = Made {
        content_type: oid::CONTENT_SIGNED_DATA,
        ..Made::honest()
    };
    assert_eq!(made.judge().failure, Some(Failure::ContentType));
    let value = write::object_identifier(&oid::CONTENT_SIGNED_DATA);
    made.attributes[0] = attribute(&oid::ATTRIBUTE_CONTENT_TYPE, &value);
    assert_eq!(made.judge().failure, Some(Failure::ContentType));
}

#[test]
fn algorithms_that_disagree_are_refused() {
    let made = Made {
        digest: oid::DIGEST_SHA512,
        ..Made::honest()
    };
    assert_eq!(made.judge().failure, Some(Failure::AlgorithmsDisagree));
    let made = Made {
        digest: oid::RSA_MGF1,
        ..Made::honest()
    };
    assert_eq!(made.judge().failure, Some(Failure::DigestAlgorithmUnknown));
}

#[test]
fn algorithms_that_were_protected_are_not_replaced() {
    let protection = |digest: &const_oid::ObjectIdentifier, signature: &const_oid::ObjectIdentifier| {
        let signature = write::element(0xA1, &write::object_identifier(signature));
        let digest = [write::object_identifier(digest), vec![tag::NULL, 0]].concat();
        let value = write::constructed(
            tag::SEQUENCE,
            &[&write::element(tag::SEQUENCE, &digest), &signature],
        );
        let mut made = Made::honest();
        made.attributes
            .push(attribute(&oid::ATTRIBUTE_ALGORITHM_PROTECTION, &value));
        made.judge().failure
    };
    assert_eq!(protection(&oid::DIGEST_SHA256, &oid::ECDSA_SHA256), None);
    for (digest, signature) in [
        (oid::DIGEST_SHA512, oid::ECDSA_SHA256),
        (oid::DIGEST_SHA256, oid::ECDSA_SHA512),
    ] {
        assert_eq!(protection(&digest, &signature), Some(Failure::AlgorithmsReplaced));
    }
}

#[test]
fn a_signature_policy_that_is_not_known_is_not_believed() {
    let named = write::element(tag::SEQUENCE, &write::object_identifier(&oid::CONTENT_DATA));
    for (value, failure) in [
        (named, Some(Failure::SignaturePolicyUnknown)),
        (vec![tag::NULL, 0], None),
    ] {
        let mut made = Made::honest();
        made.attributes
            .push(attribute(&oid::ATTRIBUTE_SIGNATURE_POLICY, &value));
        assert_eq!(made.judge().failure, failure);
    }
}

#[test]
fn a_signing_certificate_attribute_for_another_certificate_is_refused() {
    for (identifier, hash) in [
        (oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2, vec![1; 32]),
        (oid::ATTRIBUTE_SIGNING_CERTIFICATE, vec![1; 20]),
    ] {
        let mut made = Made::honest();
        let reference = write::element(tag::SEQUENCE, &write::element(tag::OCTET_STRING, &hash));
        let value = write::element(tag::SEQUENCE, &write::element(tag::SEQUENCE, &reference));
        made.attributes.push(attribute(&identifier, &value));
        assert_eq!(made.judge().failure, Some(Failure::SigningCertificateMismatch));
    }
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
    assert!(indications.contains(&Indication::TotalFailed(SubIndication::Revoked)));
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
