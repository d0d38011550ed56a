//! What was signed before a revocation is excused only where the date of that is the last word.

use super::*;
use crate::path::{self, Outcome};
use crate::testing::{Authority, as_is};

fn at(days: i64) -> Time {
    now().plus_seconds(-86_400 * days)
}

/// An entry about the person: revoked so many days ago.
fn entry(reason: u8, days: i64) -> Vec<u8> {
    let reason = [
        write::object_identifier(&oid::CRL_REASON),
        write::element(0x04, &[0x0A, 1, reason]),
    ];
    let extensions = write::element(0x30, &write::element(0x30, &reason.concat()));
    write::constructed(0x30, &[&[2, 1, SERIAL], &write::time(at(days)), &extensions])
}

/// What comes of the person's signature of so many days ago.
fn judged(world: &World, candidates: &[&Authority], lists: Vec<Arc<RevocationList>>, days: i64) -> Outcome {
    let candidates = std::iter::once(&world.issuing).chain(candidates.iter().copied());
    let candidates = candidates.map(|one| Arc::clone(&one.certificate)).collect();
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    let question = Question::new(Usage::Document, &snapshot, &[], now()).as_of(at(days));
    path::validate(&world.person.certificate, question, &mut Budget::new(100))
}

fn is_unknown(outcome: &Outcome) -> bool {
    matches!(outcome.failure, Some(Failure::RevocationUnknown { .. })) && !outcome.needs.is_empty()
}

#[test]
fn the_current_list_of_the_issuer_excuses_what_was_before() {
    let world = World::new();
    let list = world
        .issuing
        .list_of_entries(&[entry(COMPROMISE, 4)], &[number(5)]);
    let lists = || vec![Arc::clone(&list), world.root.list(&[])];
    assert!(judged(&world, &[], lists(), 5).failure.is_none());
    let after = judged(&world, &[], lists(), 3).failure;
    assert!(matches!(after, Some(Failure::Revoked { .. })), "{after:?}");
}

#[test]
fn a_signer_that_is_not_proven_good_excuses_nothing() {
    let world = World::new();
    let own = world.issuing.certificate.subject().common_name().expect("a name");
    // The root's other authority certifies a key under the issuer's name.
    let elsewhere = world.root.authority("Elsewhere", 60, as_is);
    let key = elsewhere.authority(own, 61, as_is);
    let list = key.list_of_entries(&[entry(COMPROMISE, 4)], &[number(5)]);
    let judge = |others: Vec<Arc<RevocationList>>| {
        let lists = others.into_iter().chain([Arc::clone(&list)]).collect();
        judged(&world, &[&elsewhere, &key], lists, 5)
    };
    assert!(
        is_unknown(&judge(vec![world.root.list(&[])])),
        "nobody tells of the key"
    );
    let all = judge(vec![world.root.list(&[]), elsewhere.list(&[])]);
    assert!(all.failure.is_none(), "{:?}", all.failure);
    // Who certified the key is revoked: it is not even heard.
    let revoked = world.root.list(&[(60, rcgen::RevocationReason::CaCompromise)]);
    assert!(is_unknown(&judge(vec![revoked, elsewhere.list(&[])])));
}

#[test]
fn a_list_for_some_reasons_excuses_only_beside_one_for_the_others() {
    let world = World::new();
    let scope = |bits: &[u8]| {
        let content = write::element(0x30, &write::element(0x83, bits));
        list_extension(&oid::ISSUING_DISTRIBUTION_POINT, true, &content)
    };
    // keyCompromise to superseded, and the others.
    let some = world
        .issuing
        .list_of_entries(&[entry(4, 4)], &[number(5), scope(&[3, 0x78])]);
    let rest = world
        .issuing
        .list_with(&[], &[number(5), scope(&[7, 0x07, 0x80])]);
    let root = || world.root.list(&[]);
    assert!(is_unknown(&judged(
        &world,
        &[],
        vec![Arc::clone(&some), root()],
        5
    )));
    assert!(judged(&world, &[], vec![some, rest, root()], 5).failure.is_none());
}

#[test]
fn a_base_without_its_delta_excuses_nothing() {
    let world = World::new();
    let base = world
        .issuing
        .list_of_entries(&[entry(COMPROMISE, 4)], &[number(5), freshest()]);
    let delta = world.issuing.list_with(&[], &[number(6), delta_to(5)]);
    let root = || world.root.list(&[]);
    let alone = judged(&world, &[], vec![Arc::clone(&base), root()], 5);
    assert!(is_unknown(&alone), "{:?}", alone.failure);
    assert!(
        judged(&world, &[], vec![base, delta, root()], 5)
            .failure
            .is_none()
    );
}

/// What was signed so many days ago by the person, whom a list of May holds, and a current one revokes so many days ago.
fn held_and_then_revoked(revoked_days_ago: i64, signed_days_ago: i64) -> Outcome {
    let world = World::new();
    let held = world
        .issuing
        .list(&[(SERIAL.into(), rcgen::RevocationReason::CertificateHold)]);
    let revoked = world
        .issuing
        .list_of_entries(&[entry(COMPROMISE, revoked_days_ago)], &[number(9)]);
    let lists = vec![held, revoked, world.root.list(&[])];
    judged(&world, &[], lists, signed_days_ago)
}

#[test]
fn a_hold_of_before_that_nobody_lifted_takes_the_excuse_away() {
    let outcome = held_and_then_revoked(4, 5);
    assert!(is_unknown(&outcome), "{:?}", outcome.failure);
}

#[test]
fn a_hold_after_what_was_signed_takes_nothing_away() {
    assert!(held_and_then_revoked(2, 60).failure.is_none());
}

#[test]
fn a_hold_in_force_lends_an_overdue_revocation_nothing() {
    let world = World::new();
    // The list of April is overdue and revokes; the current one holds.
    let old = [(SERIAL.into(), rcgen::RevocationReason::KeyCompromise)];
    let old = world.issuing.list_of(&old, (5, 2), (5, 20));
    let held = world.issuing.list_of_entries(&[entry(HOLD, 4)], &[number(9)]);
    // Both say so of a time after the control time.
    let outcome = judged(&world, &[], vec![old, held, world.root.list(&[])], 60);
    assert!(is_unknown(&outcome), "{:?}", outcome.failure);
}

/// A certificate that has expired, and what lists of now and of then say of it: asked as of the fifteenth of April.
fn asked_of_the_past(world: &World, lists: Vec<Arc<RevocationList>>) -> Outcome {
    let past = world.issuing.leaf("Past", SERIAL.into(), |params| {
        params.not_after = rcgen::date_time_ymd(2026, 5, 31);
    });
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let candidates = vec![Arc::clone(&world.issuing.certificate)];
    let lists = lists
        .into_iter()
        .chain([world.root.list_of(&[], (4, 20), (7, 1))])
        .collect();
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    let at = "2026-04-15T00:00:00Z".parse().expect("an instant");
    let question = Question::new(Usage::Document, &snapshot, &[], now()).as_of(at);
    path::validate(&past.certificate, question, &mut Budget::new(100))
}

#[test]
fn a_delta_that_forgets_the_expired_ends_no_hold() {
    let world = World::new();
    // The hold began long before; base and delta are of now, when the certificate has expired.
    let base = world
        .issuing
        .list_of_entries(&[entry(HOLD, 70)], &[number(5), freshest()]);
    let delta = world
        .issuing
        .list_of_entries(&[entry(REMOVED, 1)], &[number(6), delta_to(5)]);
    let failure = asked_of_the_past(&world, vec![base, delta]).failure;
    assert!(matches!(failure, Some(Failure::OnHold { .. })), "{failure:?}");
}

#[test]
fn an_archived_base_settles_the_past_without_its_delta() {
    let world = World::new();
    let base = |entries: &[(u8, u8)]| world.issuing.list_with(entries, &[number(5), freshest()]);
    // A base of now says nothing of who has expired.
    assert!(is_unknown(&asked_of_the_past(&world, vec![base(&[])])));
    let archived = world.issuing.list_of(&[], (5, 1), (6, 1));
    assert!(asked_of_the_past(&world, vec![archived]).failure.is_none());
}
