//! Answers written by hand and signed by authorities of the tests: what is read, beside what is refused.

mod judge;
mod needs;
mod path;
mod responder;
mod words;

use proptest::prelude::*;

use super::*;
use crate::asn1::{Reader, oid, tag, write};
use crate::crl::{Revocation, RevocationReason};
use crate::testing::answer::{
    Draft, GOOD, UNKNOWN, by_key, by_name, extensions, nonce_extension, reason, response, revoked,
};
use crate::testing::{Authority, World, list_extension as extension, now};

/// A certificate, its issuer, and the honest draft about them.
fn honest() -> (World, Draft) {
    let world = World::new();
    let draft = Draft::about(&world.organisation.certificate, &world.issuing.certificate);
    (world, draft)
}

#[test]
fn both_forms_of_an_answer_say_the_same() {
    let (world, mut draft) = honest();
    draft.extensions = extensions(&[nonce_extension(b"nonce")]);
    draft.certificates = vec![Arc::clone(&world.root.certificate)];
    let basic = draft.basic(|octets| world.issuing.sign(octets));
    for answer in [
        OcspAnswer::from_der(response(&basic)).expect("an answer"),
        OcspAnswer::from_basic_der(basic.clone()).expect("an answer"),
    ] {
        assert_eq!(answer.produced_at(), draft.produced_at);
        assert_eq!(answer.nonce().map(OcspNonce::octets), Some(&b"nonce"[..]));
        assert_eq!(answer.certificates(), [Arc::clone(&world.root.certificate)]);
        let serials: Vec<&[u8]> = answer.serials().collect();
        assert_eq!(serials, [world.organisation.certificate.serial()]);
        assert_eq!(answer.fingerprint(), Digest::of(answer.der()));
    }
    assert!(OcspAnswer::from_basic_der(response(&basic)).is_err());
    assert!(OcspAnswer::from_der(basic).is_err());
}

#[test]
fn a_responder_that_declines_is_heard() {
    for (code, declined) in [
        (1, Declined::MalformedRequest),
        (2, Declined::InternalError),
        (3, Declined::TryLater),
        (5, Declined::SignatureRequired),
        (6, Declined::Unauthorized),
    ] {
        let der = vec![0x30, 3, tag::ENUMERATED, 1, code];
        assert_eq!(
            OcspAnswer::from_der(der).err(),
            Some(OcspFault::Declined(declined))
        );
    }
    for other in [
        vec![0x30, 3, tag::ENUMERATED, 1, 4],
        vec![0x30, 3, tag::ENUMERATED, 1, 0],
    ] {
        assert!(matches!(
            OcspAnswer::from_der(other),
            Err(OcspFault::Structure(_))
        ));
    }
}

#[test]
fn what_is_not_an_answer_is_refused() {
    use OcspFault::{DuplicateExtension, Nonce, Structure, Version};
    type Spoil = fn(&mut Draft);
    let spoilt: [(Spoil, OcspFault); 11] = [
        (|draft| draft.version = vec![0xA0, 3, 2, 1, 0], Version),
        (|draft| draft.version = vec![0xA0, 3, 2, 1, 1], Version),
        (
            |draft| draft.responder = vec![0xA2, 3, 4, 1, 1],
            Structure(Asn1Fault::Value),
        ),
        (
            |draft| draft.status = vec![0x83, 0],
            Structure(Asn1Fault::Unexpected),
        ),
        (
            |draft| draft.status = vec![0x80, 1, 0],
            Structure(Asn1Fault::Unexpected),
        ),
        (
            |draft| draft.status = revoked(now(), &reason(8)),
            Structure(Asn1Fault::Value),
        ),
        (
            |draft| draft.status = revoked(now(), &[5, 0]),
            Structure(Asn1Fault::Trailing),
        ),
        (
            |draft| draft.extensions = extensions(&[nonce_extension(b"1"), nonce_extension(b"2")]),
            DuplicateExtension,
        ),
        (
            |draft| draft.extensions = extensions(&[nonce_extension(&[])]),
            Nonce,
        ),
        (
            |draft| draft.extensions = extensions(&[nonce_extension(&[7; 129])]),
            Nonce,
        ),
        (
            |draft| draft.extensions = extensions(&[extension(&oid::OCSP_NONCE, false, b"bare")]),
            Nonce,
        ),
    ];
    let (world, draft) = honest();
    assert!(draft.signed_by(&world.issuing).is_ok());
    for (place, (spoil, fault)) in spoilt.into_iter().enumerate() {
        let mut draft = draft.clone();
        spoil(&mut draft);
        assert_eq!(draft.signed_by(&world.issuing).err(), Some(fault), "{place}");
    }
    let basic = draft.basic(|octets| world.issuing.sign(octets));
    let longer = [&basic[..], &[0]].concat();
    assert!(OcspAnswer::from_basic_der(longer.clone()).is_err());
    assert!(OcspAnswer::from_der(response(&longer)).is_err());
    let mut other_type = response(&basic);
    let at = memchr::memmem::find(&other_type, oid::OCSP_BASIC.as_bytes()).expect("the type");
    other_type[at + 8] = 9;
    assert_eq!(
        OcspAnswer::from_der(other_type).err(),
        Some(OcspFault::ResponseType)
    );
}

#[test]
fn the_times_of_an_answer_are_generalized() {
    let (world, mut draft) = honest();
    draft.write_time = write::time;
    let fault = draft.signed_by(&world.issuing).err();
    assert_eq!(fault, Some(OcspFault::Structure(Asn1Fault::Unexpected)));
}

#[test]
fn more_than_is_read_is_refused() {
    let (world, mut draft) = honest();
    let certificate = Arc::clone(&world.root.certificate);
    draft.certificates = vec![Arc::clone(&certificate); 16];
    assert!(draft.signed_by(&world.issuing).is_ok());
    draft.certificates.push(certificate);
    assert_eq!(draft.signed_by(&world.issuing).err(), Some(OcspFault::Size));
    draft.certificates.clear();
    draft.singles = draft.single().repeat(255);
    assert!(draft.signed_by(&world.issuing).is_ok());
    draft.singles = draft.single().repeat(256);
    assert_eq!(draft.signed_by(&world.issuing).err(), Some(OcspFault::Size));
    let huge = vec![0; ANSWER_BYTES_MAX + 1];
    assert_eq!(OcspAnswer::from_der(huge.clone()).err(), Some(OcspFault::Size));
    assert_eq!(OcspAnswer::from_basic_der(huge).err(), Some(OcspFault::Size));
}

#[test]
fn a_certificate_that_cannot_be_read_is_as_good_as_absent() {
    let (world, draft) = honest();
    let basic = draft.basic(|octets| world.issuing.sign(octets));
    let whole = Reader::sole(&basic, tag::SEQUENCE).expect("a BasicOCSPResponse");
    let unreadable = write::element(0xA0, &write::element(tag::SEQUENCE, &[0x30, 0]));
    let basic = write::constructed(tag::SEQUENCE, &[whole.content, &unreadable]);
    let answer = OcspAnswer::from_basic_der(basic).expect("an answer");
    assert!(answer.certificates().is_empty());
}

#[test]
fn a_request_names_the_certificate_and_repeats_the_nonce() {
    let world = World::new();
    let (certificate, issuer) = (&world.organisation.certificate, &world.issuing.certificate);
    let mut request = OcspRequest::new(certificate, issuer);
    let id = |digest| CertificateId::of(certificate, issuer, digest).to_der();
    let expected = id(DigestAlgorithm::Sha1);
    let plain = request.to_der();
    // OCSPRequest, TBSRequest, requestList, Request, CertID, and nothing else.
    let mut inner = &plain[..];
    for _ in 0..4 {
        inner = Reader::sole(inner, tag::SEQUENCE).expect("one element").content;
    }
    assert_eq!(inner, expected);
    request.digest = DigestAlgorithm::Sha256;
    request.nonce = Some(OcspNonce::new(&[7; 32]).expect("a nonce"));
    let der = request.to_der();
    let mut body = Reader::sole(&der, tag::SEQUENCE).expect("a request").reader();
    let mut signed = body.sequence().expect("TBSRequest");
    let list = signed.expect(tag::SEQUENCE).expect("requestList");
    assert_eq!(
        list.content,
        write::element(tag::SEQUENCE, &id(DigestAlgorithm::Sha256))
    );
    let extensions = signed.expect(0xA2).expect("requestExtensions");
    let expected = write::element(tag::SEQUENCE, &nonce_extension(&[7; 32]));
    assert_eq!(extensions.content, expected);
    assert!(OcspNonce::new(&[]).is_err() && OcspNonce::new(&[7; 129]).is_err());
}

#[test]
fn the_locations_of_responders_are_read() {
    let access = |method: const_oid::ObjectIdentifier, url: &str| {
        let location = write::element(0x86, url.as_bytes());
        write::constructed(tag::SEQUENCE, &[&write::object_identifier(&method), &location])
    };
    let value = [
        access(oid::ACCESS_OCSP, "http://ocsp.example/"),
        access(oid::ACCESS_CA_ISSUERS, "http://ca.example/ca.crt"),
        access(oid::ACCESS_OCSP, "ldap://ocsp.example/"),
    ];
    let value = write::element(tag::SEQUENCE, &value.concat());
    let extension = crate::testing::extension(
        &[1, 3, 6, 1, 5, 5, 7, 1, 1],
        &value,
        crate::testing::IsCritical::No,
    );
    let world = World::new();
    let leaf = world.issuing.changed_leaf("Leaf", 5, &|params| {
        params.custom_extensions.push(extension.clone());
    });
    assert_eq!(leaf.certificate.responder_urls(), ["http://ocsp.example/"]);
    assert_eq!(leaf.certificate.issuer_urls(), ["http://ca.example/ca.crt"]);
    assert!(world.organisation.certificate.responder_urls().is_empty());
}

#[test]
fn no_damaged_answer_panics() {
    let (world, mut draft) = honest();
    draft.certificates = vec![Arc::clone(&world.issuing.certificate)];
    draft.extensions = extensions(&[nonce_extension(b"nonce")]);
    let der = response(&draft.basic(|octets| world.issuing.sign(octets)));
    proptest!(ProptestConfig::with_cases(2000), |(at in 0..der.len(), octet: u8, cut in 0..der.len())| {
        let mut damaged = der.clone();
        damaged[at] = octet;
        let _ = OcspAnswer::from_der(damaged.clone());
        damaged.truncate(cut);
        prop_assert!(OcspAnswer::from_der(damaged).is_err());
    });
}

proptest! {
    #[test]
    fn no_octets_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = OcspAnswer::from_der(bytes.clone());
        let _ = OcspAnswer::from_basic_der(response(&bytes));
        let _ = OcspAnswer::from_der(response(&write::element(tag::SEQUENCE, &bytes)));
    }
}
