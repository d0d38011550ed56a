//! Certificates of rcgen read, and read as another parser reads them.

use proptest::prelude::*;
use x509_parser::prelude::FromDer;

use super::*;
use crate::testing::{IsCritical, World, extension};

#[test]
fn another_parser_reads_the_same() {
    let world = World::new();
    for certificate in [
        &world.root.certificate,
        &world.issuing.certificate,
        &world.person.certificate,
    ] {
        let (_, other) = x509_parser::certificate::X509Certificate::from_der(certificate.der()).expect("DER");
        assert_eq!(certificate.serial(), other.raw_serial());
        assert_eq!(certificate.subject().der(), other.subject().as_raw());
        assert_eq!(certificate.issuer().der(), other.issuer().as_raw());
        assert_eq!(
            certificate.not_before().as_seconds(),
            other.validity().not_before.timestamp()
        );
        assert_eq!(
            certificate.not_after().as_seconds(),
            other.validity().not_after.timestamp()
        );
        assert_eq!(certificate.is_ca(), other.is_ca());
        assert_eq!(certificate.spki(), other.public_key().raw);
    }
    assert_eq!(world.person.certificate.key_kind(), KeyKind::Rsa(2048));
    assert_eq!(
        world.person.certificate.crl_urls(),
        ["http://crl.example/issuing.crl"]
    );
    assert_eq!(world.person.certificate.subject().common_name(), Some("Person"));
}

#[test]
fn an_extension_that_occurs_twice_is_refused() {
    let world = World::new();
    let leaf = world.issuing.leaf("Leaf", 5, |params| {
        params
            .custom_extensions
            .push(extension(&[1, 2, 3, 4], b"\x05\x00", IsCritical::No));
        params
            .custom_extensions
            .push(extension(&[1, 2, 3, 5], b"\x05\x00", IsCritical::No));
    });
    let der = leaf.certificate.der();
    let at = memchr::memmem::find(der, b"\x06\x03\x2A\x03\x05").expect("the second extension");
    let mut twice = der.to_vec();
    twice[at + 4] = 4;
    assert_eq!(
        Certificate::from_der(&twice),
        Err(CertificateFault::DuplicateExtension)
    );
}

#[test]
fn octets_behind_a_certificate_are_refused() {
    let der = World::new().root.certificate.der().to_vec();
    let longer = [&der[..], &[0]].concat();
    assert_eq!(
        Certificate::from_der(&longer),
        Err(CertificateFault::Structure(Asn1Fault::Trailing))
    );
}

#[test]
fn no_damaged_certificate_panics() {
    let world = World::new();
    let der = world.person.certificate.der();
    proptest!(ProptestConfig::with_cases(2000), |(at in 0..der.len(), octet: u8, cut in 0..der.len())| {
        let mut damaged = der.to_vec();
        damaged[at] = octet;
        let _ = Certificate::from_der(&damaged);
        prop_assert!(Certificate::from_der(&damaged[..cut]).is_err());
    });
}
