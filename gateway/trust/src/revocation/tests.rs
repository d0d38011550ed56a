//! Base lists and deltas: a base that a delta speaks beside settles nothing alone (RFC 5280 §6.3.3).

mod excuses;
mod others;

use super::*;
use crate::asn1::{oid, write};
use crate::path::Usage;
use crate::testing::{World, as_is, list_extension, now};
use crate::{Policy, Snapshot};

const HOLD: u8 = 6;
const REMOVED: u8 = 8;
const COMPROMISE: u8 = 1;
/// The serial number of the person's certificate.
const SERIAL: u8 = 100;

fn number(number: u8) -> Vec<u8> {
    list_extension(&oid::CRL_NUMBER, false, &[2, 1, number])
}

fn delta_to(base: u8) -> Vec<u8> {
    list_extension(&oid::DELTA_CRL_INDICATOR, true, &[2, 1, base])
}

fn freshest() -> Vec<u8> {
    let uri = write::element(0x86, b"http://crl.example/delta.crl");
    let name = write::element(0xA0, &write::element(0xA0, &uri));
    let points = write::element(0x30, &write::element(0x30, &name));
    list_extension(&oid::FRESHEST_CRL, false, &points)
}

/// What these lists of the issuing authority say about the person.
fn asked(world: &World, lists: Vec<Arc<RevocationList>>) -> Result<Vec<RevocationProof>, NotGood> {
    let path = [
        &world.person.certificate,
        &world.issuing.certificate,
        &world.root.certificate,
    ]
    .map(Arc::clone);
    asked_about(&path, &world.snapshot(lists))
}

fn asked_about(path: &[Arc<Certificate>], snapshot: &Snapshot) -> Result<Vec<RevocationProof>, NotGood> {
    let question = Question::new(Usage::Document, snapshot, &[], now());
    check(path, question, &mut Budget::new(100))
}

fn failure(answer: Result<Vec<RevocationProof>, NotGood>) -> Option<Failure> {
    answer.err().map(|not_good| not_good.failure)
}

#[test]
fn a_base_that_names_deltas_waits_for_one_and_says_where_it_is() {
    let world = World::new();
    let base = world.issuing.list_with(&[], &[number(5), freshest()]);
    let not_good = asked(&world, vec![Arc::clone(&base)]).expect_err("not known");
    assert!(matches!(not_good.failure, Failure::RevocationUnknown { .. }));
    let Some(urls) = not_good.need else {
        panic!("nothing is asked for")
    };
    assert!(
        urls.lists.contains(&"http://crl.example/delta.crl".to_owned()),
        "{urls:?}"
    );
    let delta = world.issuing.list_with(&[], &[number(6), delta_to(5)]);
    assert!(asked(&world, vec![base, delta]).is_ok());
}

#[test]
fn a_delta_that_does_not_build_on_the_base_settles_nothing() {
    let world = World::new();
    let base = world.issuing.list_with(&[], &[number(5), freshest()]);
    for (own, from) in [(9, 6), (4, 2)] {
        let delta = world.issuing.list_with(&[], &[number(own), delta_to(from)]);
        let answer = failure(asked(&world, vec![Arc::clone(&base), delta]));
        assert!(
            matches!(answer, Some(Failure::RevocationUnknown { .. })),
            "{own} {from}"
        );
    }
    let stranger = World::new();
    let delta = stranger.issuing.list_with(&[], &[number(6), delta_to(5)]);
    let answer = failure(asked(&world, vec![base, delta]));
    assert!(
        matches!(answer, Some(Failure::RevocationUnknown { .. })),
        "another key signed it"
    );
}

#[test]
fn what_the_base_revoked_for_good_needs_no_delta() {
    let world = World::new();
    let answer = |reason| {
        let base = world
            .issuing
            .list_with(&[(SERIAL, reason)], &[number(5), freshest()]);
        failure(asked(&world, vec![base]))
    };
    assert!(matches!(answer(COMPROMISE), Some(Failure::Revoked { .. })));
    assert!(matches!(answer(HOLD), Some(Failure::RevocationUnknown { .. })));
}

#[test]
fn a_delta_of_the_same_second_with_a_higher_number_is_heard() {
    let world = World::new();
    let base = world.issuing.list_with(&[], &[number(5)]);
    let delta = world
        .issuing
        .list_with(&[(SERIAL, COMPROMISE)], &[number(6), delta_to(5)]);
    let answer = failure(asked(&world, vec![base, delta]));
    assert!(matches!(answer, Some(Failure::Revoked { .. })), "{answer:?}");
}

#[test]
fn what_a_delta_revokes_is_revoked_and_what_it_takes_off_hold_is_good() {
    let world = World::new();
    let answers = |in_base: &[(u8, u8)], in_delta: &[(u8, u8)]| {
        let base = world.issuing.list_with(in_base, &[number(5), freshest()]);
        let delta = world.issuing.list_with(in_delta, &[number(6), delta_to(5)]);
        failure(asked(&world, vec![base, delta]))
    };
    assert!(matches!(
        answers(&[], &[(SERIAL, COMPROMISE)]),
        Some(Failure::Revoked { .. })
    ));
    assert!(matches!(
        answers(&[(SERIAL, COMPROMISE)], &[]),
        Some(Failure::Revoked { .. })
    ));
    assert!(matches!(
        answers(&[(SERIAL, HOLD)], &[]),
        Some(Failure::OnHold { .. })
    ));
    assert_eq!(answers(&[(SERIAL, HOLD)], &[(SERIAL, REMOVED)]), None);
    assert!(
        matches!(
            answers(&[(SERIAL, COMPROMISE)], &[(SERIAL, REMOVED)]),
            Some(Failure::Revoked { .. })
        ),
        "only a hold ends"
    );
}

#[test]
fn a_hold_in_the_base_that_the_delta_ends_for_good_counts_from_its_beginning() {
    let world = World::new();
    let at = |days: i64| now().plus_seconds(-86_400 * days);
    let entry = |reason: u8, at: Time| {
        let reason = [
            write::object_identifier(&oid::CRL_REASON),
            write::element(0x04, &[0x0A, 1, reason]),
        ];
        let extensions = write::element(0x30, &write::element(0x30, &reason.concat()));
        write::constructed(0x30, &[&[2, 1, SERIAL], &write::time(at), &extensions])
    };
    let base = world
        .issuing
        .list_of_entries(&[entry(HOLD, at(9))], &[number(5), freshest()]);
    let delta = world
        .issuing
        .list_of_entries(&[entry(COMPROMISE, at(1))], &[number(6), delta_to(5)]);
    match failure(asked(&world, vec![base, delta])) {
        Some(Failure::Revoked { at: since, .. }) => assert_eq!(since, at(9)),
        other => panic!("{other:?}"),
    }
}

/// Something large that nobody reads.
fn padding(octets: usize) -> Vec<u8> {
    list_extension(&oid::PURPOSE_ANY, false, &vec![0; octets])
}

#[test]
fn lists_of_the_snapshot_cost_nothing_by_their_size_and_those_of_the_sender_do() {
    let world = World::new();
    let path = [
        &world.person.certificate,
        &world.issuing.certificate,
        &world.root.certificate,
    ]
    .map(Arc::clone);
    let ask = |known: &[Arc<RevocationList>], beside: &[Arc<RevocationList>], checks_max: u32| {
        let snapshot = world.snapshot(known.to_vec());
        let question = Question {
            lists: beside,
            ..Question::new(Usage::Document, &snapshot, &[], now())
        };
        let mut budget = Budget::new(checks_max);
        check(&path, question, &mut budget).is_ok()
    };
    let list = world.issuing.list_with(&[], &[number(5), padding(3 << 20)]);
    let lists = [list];
    assert!(ask(&lists, &[], 1));
    // One operation, and one more for each of its three MiB.
    assert!(!ask(&[], &lists, 3));
    assert!(ask(&[], &lists, 4));
    // Nor where the sender brings along another one too.
    let small = [world.issuing.list_with(&[], &[number(6)])];
    assert!(ask(&lists, &small, 2));
}

#[test]
fn a_list_that_is_digested_anew_for_each_key_is_paid_for_with_keys_of_the_sender() {
    let world = World::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let authority = world.root.authority_of(key, ("Edwards", 9), as_is);
    let leaf = authority.leaf("Leaf", 10, as_is);
    let path = [&leaf.certificate, &authority.certificate, &world.root.certificate].map(Arc::clone);
    let revoked: Vec<_> = (1000..40_000)
        .map(|serial| (serial, rcgen::RevocationReason::Superseded))
        .collect();
    let list = authority.list(&revoked);
    assert!((1 << 20..2 << 20).contains(&list.der().len()));
    let ask = |known: &[&Arc<Certificate>], checks_max: u32| {
        let anchors = vec![Arc::clone(&world.root.certificate)];
        let candidates = known.iter().copied().map(Arc::clone).collect();
        let lists = vec![Arc::clone(&list)];
        let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
        let question = Question::new(Usage::Document, &snapshot, &[], now());
        check(&path, question, &mut Budget::new(checks_max)).is_ok()
    };
    assert!(ask(&[&authority.certificate], 1));
    assert!(!ask(&[], 1));
    assert!(ask(&[], 2));
}

#[test]
fn a_list_that_was_tried_under_another_key_is_still_its_issuers() {
    let (world, stranger) = (World::new(), World::new());
    let list = world.issuing.list(&[]);
    for _ in 0..2 {
        let wrong = list.verify_signed_by(stranger.issuing.certificate.key());
        assert_eq!(wrong, Err(crate::algorithm::SignatureFault::Wrong));
        assert_eq!(list.verify_signed_by(world.issuing.certificate.key()), Ok(()));
    }
}
