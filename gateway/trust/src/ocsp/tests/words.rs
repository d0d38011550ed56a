//! Words against a certificate: however old, of whomever, and since when.

use super::path::{about_person, by_delegate, by_issuer, judged};
use super::*;
use crate::report::Failure;
use crate::{Policy, RevocationList, Snapshot};

/// When these words say that the person was revoked.
fn revoked_at(world: &World, answers: Vec<OcspAnswer>, list: Option<Arc<RevocationList>>) -> Time {
    match judged(world, answers, list, Policy::default()) {
        Err(Failure::Revoked { at, .. }) => at,
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_several_who_say_that_it_was_revoked_the_earliest_counts() {
    let world = World::new();
    let at = |seconds: i64| now().plus_seconds(-seconds);
    let answer = |seconds: i64| {
        let draft = Draft {
            status: revoked(at(seconds), &[]),
            ..about_person(&world)
        };
        by_issuer(&world, &draft)
    };
    // The entries of lists are an hour old.
    let list = || {
        let entry = (100, rcgen::RevocationReason::KeyCompromise);
        Some(world.issuing.list(&[entry]))
    };
    let by_list = revoked_at(&world, Vec::new(), list());
    assert_eq!(
        revoked_at(&world, vec![answer(30), answer(50_000)], None),
        at(50_000)
    );
    assert_eq!(
        revoked_at(&world, vec![answer(50_000), answer(30)], None),
        at(50_000)
    );
    assert_eq!(
        revoked_at(&world, vec![answer(50_000)], list()),
        at(50_000).min(by_list)
    );
    assert_eq!(revoked_at(&world, vec![answer(30)], list()), at(30).min(by_list));
}

#[test]
fn since_when_a_key_is_suspected_counts() {
    let world = World::new();
    let (since, told) = (now().plus_seconds(-50_000), now().plus_seconds(-600));
    for (invalid_since, is_critical) in [(since, false), (since, true), (now(), false)] {
        let value = crate::testing::answer::generalized(invalid_since);
        let draft = Draft {
            status: revoked(told, &[]),
            single_extensions: extensions(&[extension(&oid::INVALIDITY_DATE, is_critical, &value)]),
            ..about_person(&world)
        };
        let at = revoked_at(&world, vec![by_issuer(&world, &draft)], None);
        assert_eq!(at, invalid_since.min(told));
    }
}

#[test]
fn a_hold_that_became_a_revocation_counts_from_its_beginning() {
    let world = World::new();
    let answer = |at: Time, code: u8| {
        let draft = Draft {
            status: revoked(at, &reason(code)),
            ..about_person(&world)
        };
        by_issuer(&world, &draft)
    };
    let (hold, compromise) = (6, 1);
    // The entries of lists are of this day.
    let listed: Time = "2026-05-01T00:00:00Z".parse().expect("an instant");
    let list = |reason| Some(world.issuing.list(&[(100, reason)]));
    let (on_hold, for_good) = (
        rcgen::RevocationReason::CertificateHold,
        rcgen::RevocationReason::KeyCompromise,
    );
    let (before, after) = (listed.plus_seconds(-86_400), listed.plus_seconds(86_400));
    let at = |answers: Vec<OcspAnswer>, list| revoked_at(&world, answers, list);
    assert_eq!(at(vec![answer(before, hold)], list(for_good)), before);
    assert_eq!(at(vec![answer(after, hold)], list(for_good)), listed);
    assert_eq!(at(vec![answer(after, compromise)], list(on_hold)), listed);
    let both = || [answer(before, hold), answer(after, compromise)];
    assert_eq!(at(Vec::from(both()), None), before);
    assert_eq!(at(both().into_iter().rev().collect(), None), before);
}

#[test]
fn a_key_that_nobody_can_tell_since_when_it_is_suspected_is_as_good_as_always_was() {
    let world = World::new();
    let told = now().plus_seconds(-600);
    for unreadable in [
        &b"\x18\x0F20260101"[..],
        b"\x17\x0D260101000000Z",
        b"\x18\x1520260101000000.0+0700",
        b"\x18\x1020260101000000.0",
        b"",
    ] {
        let draft = Draft {
            status: revoked(told, &[]),
            single_extensions: extensions(&[extension(&oid::INVALIDITY_DATE, false, unreadable)]),
            ..about_person(&world)
        };
        // An older answer is good, and still current.
        let good = Draft {
            produced_at: now().plus_seconds(-100),
            this_update: now().plus_seconds(-100),
            ..about_person(&world)
        };
        let answers = vec![by_issuer(&world, &good), by_issuer(&world, &draft)];
        assert_eq!(revoked_at(&world, answers, None), Time::from_micros(0));
    }
    // Fractions must not be there, and mislead nobody.
    let draft = Draft {
        status: revoked(told, &[]),
        single_extensions: extensions(&[extension(
            &oid::INVALIDITY_DATE,
            false,
            b"\x18\x1320260101000000.500Z",
        )]),
        ..about_person(&world)
    };
    let since = revoked_at(&world, vec![by_issuer(&world, &draft)], None);
    assert_eq!(Ok(since), "2026-01-01T00:00:00Z".parse());
}

/// What is said of the person, whose signature is proven to have existed an hour ago.
fn judged_as_of_an_hour_ago(
    world: &World,
    answers: Vec<OcspAnswer>,
    list: Option<Arc<RevocationList>>,
) -> crate::path::Outcome {
    let lists = std::iter::once(world.root.list(&[])).chain(list).collect();
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let candidates = vec![Arc::clone(&world.issuing.certificate)];
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    let snapshot = snapshot.with_ocsp(answers.into_iter().map(Arc::new));
    let question = crate::path::Question::new(crate::path::Usage::Document, &snapshot, &[], now());
    let question = question.as_of(now().plus_seconds(-3600));
    crate::path::validate(
        &world.person.certificate,
        question,
        &mut crate::path::Budget::new(100),
    )
}

#[test]
fn a_revocation_excuses_what_was_before_it_only_where_its_date_is_the_last_word() {
    let world = World::new();
    let answer = |age: i64, next: Option<i64>| {
        let draft = Draft {
            status: revoked(now().plus_seconds(-1800), &[]),
            this_update: now().plus_seconds(-age),
            produced_at: now().plus_seconds(-age),
            next_update: next.map(|next| now().plus_seconds(next)),
            ..about_person(&world)
        };
        by_issuer(&world, &draft)
    };
    let current = judged_as_of_an_hour_ago(&world, vec![answer(60, Some(60))], None);
    assert!(current.failure.is_none(), "{:?}", current.failure);
    for next in [Some(-60), None] {
        let overdue = || answer(1500, next);
        let outcome = judged_as_of_an_hour_ago(&world, vec![overdue()], None);
        let failure = outcome.failure;
        assert!(
            matches!(failure, Some(Failure::RevocationUnknown { .. })),
            "{failure:?}"
        );
        assert!(!outcome.needs.is_empty(), "the last word is asked for");
        let both = judged_as_of_an_hour_ago(&world, vec![overdue(), answer(60, Some(60))], None);
        assert!(both.failure.is_none(), "{:?}", both.failure);
    }
    // A list of last month, and the current one, which knows of an earlier date.
    let entry = [(100, rcgen::RevocationReason::KeyCompromise)];
    let listed = Some(world.issuing.list(&entry));
    let outcome = judged_as_of_an_hour_ago(&world, vec![answer(60, Some(60))], listed);
    assert!(
        matches!(outcome.failure, Some(Failure::Revoked { .. })),
        "{:?}",
        outcome.failure
    );
}

#[test]
fn an_answer_that_was_old_when_it_was_made_revokes_too() {
    let world = World::new();
    let bad = Draft {
        status: revoked(now().plus_seconds(-90_000), &[]),
        this_update: now().plus_seconds(-80_000),
        produced_at: now().plus_seconds(-60),
        next_update: None,
        ..about_person(&world)
    };
    let list = Some(world.issuing.list(&[]));
    let failure = judged(&world, vec![by_issuer(&world, &bad)], list, Policy::default());
    assert!(matches!(failure, Err(Failure::Revoked { .. })), "{failure:?}");
}

#[test]
fn a_hold_that_is_overdue_counts_where_nothing_newer_says_otherwise() {
    let world = World::new();
    let held = |age: i64| {
        let draft = Draft {
            status: revoked(now().plus_seconds(-90_000), &reason(6)),
            this_update: now().plus_seconds(-age),
            produced_at: now().plus_seconds(-age),
            next_update: None,
            ..about_person(&world)
        };
        by_issuer(&world, &draft)
    };
    // The list with numbers is a minute old, that of June two weeks.
    let number = extension(&oid::CRL_NUMBER, false, &[2, 1, 6]);
    let newer = world.issuing.list_with(&[], &[number]);
    let older = world.issuing.list(&[]);
    let judge = |list: &Arc<RevocationList>| {
        judged(&world, vec![held(700)], Some(Arc::clone(list)), Policy::default())
    };
    assert!(judge(&newer).is_ok());
    assert!(matches!(judge(&older), Err(Failure::OnHold { .. })));
}

#[test]
fn of_two_words_in_one_answer_the_earlier_date_counts() {
    let world = World::new();
    let (early, late) = (now().plus_seconds(-50_000), now().plus_seconds(-600));
    for (first, second) in [(early, late), (late, early)] {
        let single = Draft {
            status: revoked(first, &reason(if first == early { 6 } else { 1 })),
            ..about_person(&world)
        };
        let both = Draft {
            status: revoked(second, &reason(if second == early { 6 } else { 1 })),
            singles: single.single(),
            ..about_person(&world)
        };
        assert_eq!(revoked_at(&world, vec![by_issuer(&world, &both)], None), early);
    }
}

#[test]
fn a_responder_that_nobody_tells_of_is_heard_where_it_revokes() {
    let world = World::new();
    let (_, responder) = by_delegate(&world, |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
    });
    let bad = Draft {
        status: revoked(now().plus_seconds(-600), &[]),
        ..about_person(&world)
    };
    let answers = || {
        vec![
            bad.by_delegate(&responder),
            by_issuer(&world, &about_person(&world)),
        ]
    };
    let failure = judged(&world, answers(), None, Policy::default());
    assert!(matches!(failure, Err(Failure::Revoked { .. })), "{failure:?}");
}

#[test]
fn the_answer_of_today_about_one_that_expired_since_excuses_what_was_before() {
    let world = World::new();
    let leaf = world.issuing.leaf("Past", 121, |params| {
        params.not_after = rcgen::date_time_ymd(2026, 6, 1);
    });
    let since: Time = "2026-05-20T00:00:00Z".parse().expect("an instant");
    let draft = Draft {
        status: revoked(since, &[]),
        ..Draft::about(&leaf.certificate, &world.issuing.certificate)
    };
    let answer = by_issuer(&world, &draft);
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let candidates = vec![Arc::clone(&world.issuing.certificate)];
    let snapshot = Snapshot::new(
        anchors,
        candidates,
        vec![world.root.list(&[])],
        Policy::default(),
        1,
    );
    let snapshot = snapshot.with_ocsp([Arc::new(answer)]);
    let judge = |at: &str| {
        let question = crate::path::Question::new(crate::path::Usage::Document, &snapshot, &[], now());
        let question = question.as_of(at.parse().expect("an instant"));
        crate::path::validate(&leaf.certificate, question, &mut crate::path::Budget::new(100)).failure
    };
    assert!(judge("2026-05-10T00:00:00Z").is_none());
    assert!(matches!(
        judge("2026-05-30T00:00:00Z"),
        Some(Failure::Revoked { .. })
    ));
}

#[test]
fn what_would_settle_the_responder_is_asked_for() {
    let world = World::new();
    let (_, responder) = by_delegate(&world, |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
        params.crl_distribution_points = vec![rcgen::CrlDistributionPoint {
            uris: vec!["http://crl.example/ocsp.crl".to_owned()],
        }];
    });
    let draft = Draft {
        status: revoked(now().plus_seconds(-1800), &[]),
        ..about_person(&world)
    };
    let outcome = judged_as_of_an_hour_ago(&world, vec![draft.by_delegate(&responder)], None);
    assert!(matches!(outcome.failure, Some(Failure::RevocationUnknown { .. })));
    let asked = outcome.needs.iter().any(|need| match need {
        crate::Need::Crl { urls, .. } => urls.iter().any(|url| url.ends_with("/ocsp.crl")),
        crate::Need::Ocsp { .. } | crate::Need::Issuer { .. } => false,
    });
    assert!(asked, "{:?}", outcome.needs);
}
