//! Lists for some reasons only, lists of other keys, and lists of others than the issuer.

use super::*;
use crate::testing::{Authority, Change, list_entry};

fn point(content: &[u8]) -> Vec<u8> {
    list_extension(
        &oid::ISSUING_DISTRIBUTION_POINT,
        true,
        &write::element(0x30, content),
    )
}

/// onlySomeReasons with these bits.
fn for_reasons(bits: &[u8]) -> Vec<u8> {
    point(&write::element(0x83, bits))
}

fn is_unknown(answer: Result<Vec<RevocationProof>, NotGood>) -> bool {
    matches!(failure(answer), Some(Failure::RevocationUnknown { .. }))
}

#[test]
fn lists_for_some_reasons_settle_a_certificate_together_and_none_alone() {
    let world = World::new();
    // keyCompromise to superseded, and the others.
    let (first, second) = (for_reasons(&[3, 0x78]), for_reasons(&[7, 0x07, 0x80]));
    let of =
        |scope: &[u8], entries: &[(u8, u8)]| world.issuing.list_with(entries, &[number(5), scope.to_vec()]);
    assert!(is_unknown(asked(&world, vec![of(&first, &[])])));
    assert!(is_unknown(asked(&world, vec![of(&second, &[])])));
    let proofs = asked(&world, vec![of(&first, &[]), of(&second, &[])]).ok();
    assert_eq!(proofs.map(|proofs| proofs.len()), Some(2));
    let revoked = asked(
        &world,
        vec![of(&first, &[]), of(&second, &[(SERIAL, COMPROMISE)])],
    );
    assert!(matches!(failure(revoked), Some(Failure::Revoked { .. })));
}

/// The same authority with a second key, certified by the root so.
fn with_other_key(world: &World, change: Change) -> Authority {
    let name = world.issuing.certificate.subject().common_name().expect("a name");
    world.root.authority(name, 78, change)
}

fn asked_with(
    world: &World,
    candidate: &Authority,
    lists: Vec<Arc<RevocationList>>,
) -> Result<Vec<RevocationProof>, NotGood> {
    let candidates = vec![
        Arc::clone(&world.issuing.certificate),
        Arc::clone(&candidate.certificate),
    ];
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    let path = [
        &world.person.certificate,
        &world.issuing.certificate,
        &world.root.certificate,
    ]
    .map(Arc::clone);
    asked_about(&path, &snapshot)
}

#[test]
fn another_key_of_the_issuer_may_sign_its_lists_once_it_is_proven_to_be_good() {
    let world = World::new();
    let other = with_other_key(&world, as_is);
    let list = other.list_with(&[], &[number(5)]);
    assert!(
        is_unknown(asked_with(&world, &other, vec![Arc::clone(&list)])),
        "its own status is not known"
    );
    let of_root = world.root.list(&[]);
    assert!(asked_with(&world, &other, vec![Arc::clone(&list), Arc::clone(&of_root)]).is_ok());
    let revoking = other.list_with(&[(SERIAL, COMPROMISE)], &[number(5)]);
    let revoked = failure(asked_with(&world, &other, vec![revoking, of_root]));
    assert!(matches!(revoked, Some(Failure::Revoked { .. })));
    let revoked = world.root.list(&[(78, rcgen::RevocationReason::KeyCompromise)]);
    assert!(is_unknown(asked_with(&world, &other, vec![list, revoked])));
}

#[test]
fn a_key_of_the_same_name_below_another_anchor_signs_nothing_here() {
    let (world, stranger) = (World::new(), World::new());
    let list = stranger.issuing.list_with(&[], &[number(5)]);
    let lists = vec![list, world.root.list(&[]), stranger.root.list(&[])];
    let candidates = vec![
        Arc::clone(&world.issuing.certificate),
        Arc::clone(&stranger.issuing.certificate),
    ];
    let anchors = vec![
        Arc::clone(&world.root.certificate),
        Arc::clone(&stranger.root.certificate),
    ];
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    let path = [
        &world.person.certificate,
        &world.issuing.certificate,
        &world.root.certificate,
    ]
    .map(Arc::clone);
    assert!(is_unknown(asked_about(&path, &snapshot)));
}

#[test]
fn a_key_does_not_vouch_for_itself() {
    let world = World::new();
    // The issuer certifies another key of its own, and only lists of that key speak of it.
    let own = world.issuing.certificate.subject().common_name().expect("a name");
    let other = world.issuing.authority(own, 79, as_is);
    let list = other.list_with(&[], &[number(5)]);
    assert!(is_unknown(asked_with(
        &world,
        &other,
        vec![list, world.root.list(&[])]
    )));
}

#[test]
fn entries_of_others_count_only_in_lists_that_say_so() {
    let world = World::new();
    let name = write::element(0xA4, world.root.certificate.subject().der());
    let of_root = list_extension(&oid::CERTIFICATE_ISSUER, true, &write::element(0x30, &name));
    let entry = list_entry(SERIAL, &[of_root]);
    let indirect = point(&[0x84, 1, 0xFF]);
    // The entry is about a certificate of the root with the person's number.
    let list = world
        .issuing
        .list_of_entries(std::slice::from_ref(&entry), &[number(5), indirect]);
    assert!(asked(&world, vec![list]).is_ok());
    let list = world.issuing.list_of_entries(&[entry], &[number(5)]);
    assert!(is_unknown(asked(&world, vec![list])));
}

#[test]
fn who_signed_a_list_and_has_ended_since_is_heard_where_it_revokes_and_nowhere_else() {
    let world = World::new();
    // It ends between the lists, which are a minute old, and now.
    let other = with_other_key(&world, |params| {
        let end = now().plus_seconds(-30).as_seconds();
        params.not_after =
            rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(end.unsigned_abs());
    });
    let of_root = world.root.list(&[]);
    let good = other.list_with(&[], &[number(5)]);
    assert!(is_unknown(asked_with(
        &world,
        &other,
        vec![good, Arc::clone(&of_root)]
    )));
    let revoking = other.list_with(&[(SERIAL, COMPROMISE)], &[number(5)]);
    let newer = world.issuing.list(&[]);
    let revoked = failure(asked_with(&world, &other, vec![revoking, newer, of_root]));
    assert!(matches!(revoked, Some(Failure::Revoked { .. })), "{revoked:?}");
}

#[test]
fn who_signed_a_list_and_was_certified_anew_since_is_heard_where_it_revokes() {
    let world = World::new();
    // Its certificate is younger than the list, which is a minute old.
    let other = with_other_key(&world, |params| {
        let start = now().plus_seconds(-30).as_seconds();
        params.not_before =
            rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(start.unsigned_abs());
    });
    let revoking = other.list_with(&[(SERIAL, COMPROMISE)], &[number(5)]);
    let newer = world.issuing.list_with(&[], &[number(6)]);
    let lists = vec![revoking, newer, world.root.list(&[])];
    let revoked = failure(asked_with(&world, &other, lists));
    assert!(matches!(revoked, Some(Failure::Revoked { .. })), "{revoked:?}");
}

#[test]
fn whose_status_nobody_tells_is_heard_where_it_revokes_and_nowhere_else() {
    let world = World::new();
    let other = with_other_key(&world, as_is);
    let newer = || world.issuing.list_with(&[], &[number(6)]);
    let revoking = other.list_with(&[(SERIAL, COMPROMISE)], &[number(5)]);
    let revoked = failure(asked_with(&world, &other, vec![Arc::clone(&revoking), newer()]));
    assert!(matches!(revoked, Some(Failure::Revoked { .. })), "{revoked:?}");
    // Not one that is known to be revoked itself.
    let of_root = world.root.list(&[(78, rcgen::RevocationReason::KeyCompromise)]);
    assert!(asked_with(&world, &other, vec![revoking, newer(), of_root]).is_ok());
}

#[test]
fn a_key_that_had_ended_says_nothing_good() {
    let world = World::new();
    // Of a leaf of the past: the list is younger than its signer, and older than the leaf's end.
    let other = with_other_key(&world, |params| {
        params.not_after = rcgen::date_time_ymd(2026, 5, 20)
    });
    let person = world.issuing.leaf("Past", SERIAL.into(), |params| {
        params.not_after = rcgen::date_time_ymd(2026, 6, 10);
    });
    let snapshot = |lists: Vec<Arc<RevocationList>>| {
        let anchors = vec![Arc::clone(&world.root.certificate)];
        let candidates = [&world.issuing, &other].map(|one| Arc::clone(&one.certificate));
        Snapshot::new(anchors, candidates.to_vec(), lists, Policy::default(), 1)
    };
    let path = [
        &person.certificate,
        &world.issuing.certificate,
        &world.root.certificate,
    ]
    .map(Arc::clone);
    let ask = |by: &Authority| {
        let snapshot = snapshot(vec![by.list(&[]), world.root.list(&[])]);
        let at: Time = "2026-05-10T00:00:00Z".parse().expect("an instant");
        let question = Question::new(Usage::Document, &snapshot, &[], now()).as_of(at);
        check(&path, question, &mut Budget::new(100)).is_ok()
    };
    assert!(ask(&world.issuing));
    assert!(!ask(&other), "made on the first of June");
}
