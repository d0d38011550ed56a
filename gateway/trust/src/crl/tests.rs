//! Lists of rcgen and lists written by hand.

use proptest::prelude::*;

use super::*;
use crate::asn1::write;
use crate::testing::{World, list_extension as extension, now};

/// A list of this issuer with these entries and list extensions; the signature is not a signature.
fn list(
    issuer: &Name,
    entries: &[Vec<u8>],
    extensions: &[Vec<u8>],
) -> Result<RevocationList, RevocationListFault> {
    let algorithm = write::element(0x30, &write::object_identifier(&oid::ECDSA_SHA256));
    let explicit = write::element(0xA0, &write::element(0x30, &extensions.concat()));
    let signed = write::constructed(
        0x30,
        &[
            &[2, 1, 1],
            &algorithm,
            issuer.der(),
            &write::time(now().plus_seconds(-60)),
            &write::time(now().plus_seconds(60)),
            &if entries.is_empty() {
                Vec::new()
            } else {
                write::element(0x30, &entries.concat())
            },
            if extensions.is_empty() { &[] } else { &explicit },
        ],
    );
    let whole = write::constructed(0x30, &[&signed, &algorithm, &write::element(0x03, &[0, 1])]);
    RevocationList::from_der(whole)
}

const CRITICAL: bool = true;

/// Whether the list speaks of the certificate for all reasons.
fn covers(list: &RevocationList, certificate: &Certificate) -> bool {
    let mut points = Point::of(certificate);
    points.any(|point| list.reasons_through(&point, certificate) == Some(Reasons::ALL))
}

fn entry(serial: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let list = write::element(0x30, &extensions.concat());
    let time = write::time(now().plus_seconds(-3600));
    let extensions = if extensions.is_empty() { &[][..] } else { &list };
    write::constructed(0x30, &[&write::element(tag::INTEGER, serial), &time, extensions])
}

#[test]
fn entries_are_found_by_serial_number() {
    let world = World::new();
    let name = world.issuing.certificate.subject();
    let serials: Vec<[u8; 3]> = (0..10_000_u32)
        .map(|n| {
            [
                0x10 + u8::try_from(n / 4096).expect("small"),
                u8::try_from(n / 64 % 64).expect("small"),
                u8::try_from(n % 64).expect("small"),
            ]
        })
        .collect();
    let entries: Vec<Vec<u8>> = serials.iter().rev().map(|serial| entry(serial, &[])).collect();
    let list = list(name, &entries, &[]).expect("a list");
    assert_eq!(list.entry_count(), serials.len());
    assert!(serials.iter().all(|serial| list.revocation_of(serial).is_some()));
    for other in [&[0x10][..], &[0x10, 0, 64], &[0x7F, 0, 0, 0]] {
        assert_eq!(list.revocation_of(other), None);
    }
}

#[test]
fn a_serial_number_that_occurs_twice_counts_as_revoked() {
    let world = World::new();
    let hold = extension(&oid::CRL_REASON, !CRITICAL, &[0x0A, 1, 6]);
    let gone = extension(&oid::CRL_REASON, !CRITICAL, &[0x0A, 1, 1]);
    let entries = [entry(&[5], &[hold]), entry(&[5], &[gone])];
    let list = list(world.issuing.certificate.subject(), &entries, &[]).expect("a list");
    let reason = list.revocation_of(&[5]).map(|revocation| revocation.reason);
    assert_eq!(reason, Some(RevocationReason::KeyCompromise));
}

#[test]
fn a_scope_that_is_not_processed_covers_nothing() {
    let world = World::new();
    let name = world.issuing.certificate.subject();
    let leaf = &world.person.certificate;
    let point = |content: &[u8]| {
        extension(
            &oid::ISSUING_DISTRIBUTION_POINT,
            CRITICAL,
            &write::element(0x30, content),
        )
    };
    let uri = |text: &str| {
        let names = write::element(0xA0, &write::element(0x86, text.as_bytes()));
        write::element(0xA0, &names)
    };
    let unknown = const_oid::ObjectIdentifier::new_unwrap("1.2.3.4");
    let cases: [(&str, Vec<Vec<u8>>, bool); 10] = [
        ("whole", vec![], true),
        ("for users", vec![point(&[0x81, 1, 0xFF])], true),
        ("for authorities", vec![point(&[0x82, 1, 0xFF])], false),
        ("some reasons", vec![point(&[0x83, 2, 1, 0x40])], false),
        ("also of others", vec![point(&[0x84, 1, 0xFF])], true),
        ("attributes", vec![point(&[0x85, 1, 0xFF])], false),
        (
            "own point",
            vec![point(&uri("http://crl.example/issuing.crl"))],
            true,
        ),
        (
            "another point",
            vec![point(&uri("http://crl.example/other.crl"))],
            false,
        ),
        ("unknown", vec![extension(&unknown, !CRITICAL, &[5, 0])], true),
        (
            "unknown and critical",
            vec![extension(&unknown, CRITICAL, &[5, 0])],
            false,
        ),
    ];
    for (case, extensions, is_covered) in cases {
        let list = list(name, &[], &extensions).expect(case);
        assert_eq!(covers(&list, leaf), is_covered, "{case}");
    }
    let critical = entry(&[9], &[extension(&unknown, CRITICAL, &[5, 0])]);
    assert!(!covers(&list(name, &[critical], &[]).expect("a list"), leaf));
}

#[test]
fn a_delta_builds_on_lists_between_its_base_and_itself_and_on_no_other_scope() {
    let world = World::new();
    let name = world.issuing.certificate.subject();
    let number = |number: u8| extension(&oid::CRL_NUMBER, !CRITICAL, &[2, 1, number]);
    let delta_to = |base: u8| extension(&oid::DELTA_CRL_INDICATOR, CRITICAL, &[2, 1, base]);
    let list = |extensions: &[Vec<u8>]| list(name, &[], extensions).expect("a list");
    let delta = list(&[number(9), delta_to(5)]);
    assert!(delta.is_delta());
    for (base, builds) in [(4, false), (5, true), (9, true), (10, false)] {
        assert_eq!(delta.is_delta_to(&list(&[number(base)])), builds, "{base}");
    }
    assert!(!delta.is_delta_to(&list(&[])), "a base without number");
    let point = write::element(0x30, &write::element(0x81, &[0xFF]));
    let of_users = extension(&oid::ISSUING_DISTRIBUTION_POINT, CRITICAL, &point);
    assert!(!delta.is_delta_to(&list(&[number(5), of_users])));
    assert_ne!(delta.series(), list(&[number(9)]).series());
}

#[test]
fn lists_of_two_keys_of_an_issuer_are_two_series() {
    let world = World::new();
    let name = world.issuing.certificate.subject();
    let of_key = |key: u8| {
        let identifier = write::element(0x30, &write::element(0x80, &[key; 20]));
        list(
            name,
            &[],
            &[extension(&oid::AUTHORITY_KEY_IDENTIFIER, !CRITICAL, &identifier)],
        )
        .expect("a list")
    };
    assert_eq!(of_key(1).series(), of_key(1).series());
    assert_ne!(of_key(1).series(), of_key(2).series());
}

#[test]
fn a_list_of_another_issuer_covers_nothing() {
    let world = World::new();
    assert!(covers(&world.issuing.list(&[]), &world.person.certificate));
    assert!(!covers(&world.root.list(&[]), &world.person.certificate));
}

#[test]
fn an_extension_that_occurs_twice_is_refused() {
    let world = World::new();
    let number = extension(&oid::CRL_NUMBER, !CRITICAL, &[2, 1, 1]);
    let twice = list(
        world.issuing.certificate.subject(),
        &[],
        &[number.clone(), number],
    );
    assert_eq!(twice.err(), Some(RevocationListFault::DuplicateExtension));
}

#[test]
fn freshness_has_both_ends() {
    let list = list(World::new().root.certificate.subject(), &[], &[]).expect("a list");
    assert!(list.is_fresh_at(now(), 300));
    assert!(list.is_fresh_at(now().plus_seconds(-360), 300));
    assert!(!list.is_fresh_at(now().plus_seconds(-361), 300));
    assert!(list.is_fresh_at(now().plus_seconds(60), 300));
    assert!(!list.is_fresh_at(now().plus_seconds(61), 300));
}

#[test]
fn no_damaged_list_panics() {
    let world = World::new();
    let list = world.issuing.list(&[(5, rcgen::RevocationReason::KeyCompromise)]);
    let der = list.der();
    proptest!(ProptestConfig::with_cases(2000), |(at in 0..der.len(), octet: u8, cut in 0..der.len())| {
        let mut damaged = der.to_vec();
        damaged[at] = octet;
        prop_assert!(RevocationList::from_der(damaged[..cut].to_vec()).is_err());
        let _ = RevocationList::from_der(damaged);
    });
}

#[test]
fn the_earlier_of_revocation_and_invalidity_counts() {
    let world = World::new();
    let name = world.issuing.certificate.subject();
    let (early, late) = (now().plus_seconds(-86_400), now().plus_seconds(86_400));
    let at = |time: Time| {
        let digits: Vec<u8> = time
            .to_string()
            .bytes()
            .filter(u8::is_ascii_digit)
            .take(14)
            .collect();
        let value = write::element(tag::GENERALIZED_TIME, &[digits, vec![b'Z']].concat());
        let entry = entry(&[9], &[extension(&oid::INVALIDITY_DATE, !CRITICAL, &value)]);
        let list = list(name, &[entry], &[]).expect("a list");
        list.revocation_of(&[9]).expect("an entry").at
    };
    assert_eq!(at(early), early);
    assert_eq!(at(late), now().plus_seconds(-3600));
    for unreadable in [&b"\x18\x0F20260101"[..], b"\x17\x0D260101000000Z", b""] {
        let entry = entry(&[9], &[extension(&oid::INVALIDITY_DATE, !CRITICAL, unreadable)]);
        let list = list(name, &[entry], &[]).expect("a list");
        let found = list.revocation_of(&[9]).expect("an entry");
        assert_eq!(found.at, Time::from_micros(0));
    }
}
