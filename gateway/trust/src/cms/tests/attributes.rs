//! Signed attributes that no honest signer makes, under a value that is right.

use super::*;
use crate::asn1::{oid, tag, write};
use crate::report::SignedAttribute;

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

#[test]
fn a_signature_policy_that_is_named_is_not_passed_over() {
    let mut made = Made::honest();
    let identifier = write::object_identifier(&oid::CONTENT_DATA);
    let policy = write::element(tag::SEQUENCE, &identifier);
    made.attributes
        .push(attribute(&oid::ATTRIBUTE_SIGNATURE_POLICY, &policy));
    let report = made.judge();
    assert_eq!(report.failure, Some(Failure::SignaturePolicyUnknown));
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::SignaturePolicyNotAvailable)
    );
    made.attributes.pop();
    made.attributes
        .push(attribute(&oid::ATTRIBUTE_SIGNATURE_POLICY, &[tag::NULL, 0]));
    assert_eq!(made.judge().failure, None);
}

#[test]
fn algorithms_that_are_protected_must_be_those_used() {
    let algorithm = |identifier: &const_oid::ObjectIdentifier| write::object_identifier(identifier);
    let protection = |digest: &const_oid::ObjectIdentifier, parts: &[Vec<u8>]| {
        let digest = write::element(tag::SEQUENCE, &algorithm(digest));
        write::element(tag::SEQUENCE, &[digest, parts.concat()].concat())
    };
    let ecdsa = write::element(0xA1, &algorithm(&oid::ECDSA_SHA256));
    let rsa = write::element(0xA1, &algorithm(&oid::RSA_SHA256));
    let mac = write::element(0xA2, &algorithm(&oid::ECDSA_SHA256));
    let name = SignedAttribute::AlgorithmProtection;
    let cases = [
        (
            protection(&oid::DIGEST_SHA256, std::slice::from_ref(&ecdsa)),
            None,
        ),
        (
            protection(&oid::DIGEST_SHA512, std::slice::from_ref(&ecdsa)),
            Some(Failure::AlgorithmsReplaced),
        ),
        (
            protection(&oid::DIGEST_SHA256, &[rsa]),
            Some(Failure::AlgorithmsReplaced),
        ),
        (
            protection(&oid::DIGEST_SHA256, &[]),
            Some(Failure::AttributeMalformed(name)),
        ),
        (
            protection(&oid::DIGEST_SHA256, &[ecdsa, mac]),
            Some(Failure::AttributeMalformed(name)),
        ),
        (vec![tag::NULL, 0], Some(Failure::AttributeMalformed(name))),
    ];
    for (value, expected) in cases {
        let mut made = Made::honest();
        made.attributes
            .push(attribute(&oid::ATTRIBUTE_ALGORITHM_PROTECTION, &value));
        assert_eq!(made.judge().failure, expected);
    }
}
