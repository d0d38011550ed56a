//! Answers as proof on a path: beside lists, in their place, and of responders that may be revoked themselves.

use super::*;
use crate::report::{Failure, RevocationSource};
use crate::testing::answer::unasked;
use crate::testing::{Change, Leaf};
use crate::{Policy, RevocationList, Snapshot};

/// What is said of the person under these answers, the list of the root, and perhaps that of the issuing authority.
pub(super) fn judged(
    world: &World,
    answers: Vec<OcspAnswer>,
    list: Option<Arc<RevocationList>>,
    policy: Policy,
) -> Result<Vec<Arc<Certificate>>, Failure> {
    let lists = std::iter::once(world.root.list(&[])).chain(list).collect();
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let candidates = vec![Arc::clone(&world.issuing.certificate)];
    let snapshot = Snapshot::new(anchors, candidates, lists, policy, 1);
    let snapshot = snapshot.with_ocsp(answers.into_iter().map(Arc::new));
    crate::validate_certificate(&world.person.certificate, &[], &snapshot, now())
}

pub(super) fn about_person(world: &World) -> Draft {
    Draft::about(&world.person.certificate, &world.issuing.certificate)
}

pub(super) fn by_issuer(world: &World, draft: &Draft) -> OcspAnswer {
    draft.signed_by(&world.issuing).expect("an answer")
}

#[test]
fn a_good_answer_proves_what_no_list_does_and_no_other_answer_does() {
    let world = World::new();
    let good = about_person(&world);
    let unknown = Draft {
        status: UNKNOWN.to_vec(),
        ..good.clone()
    };
    let old = Draft {
        next_update: Some(now().plus_seconds(-1)),
        ..good.clone()
    };
    assert!(judged(&world, vec![by_issuer(&world, &good)], None, Policy::default()).is_ok());
    for draft in [unknown, old] {
        let failure = judged(&world, vec![by_issuer(&world, &draft)], None, Policy::default());
        assert!(
            matches!(failure, Err(Failure::RevocationUnknown { .. })),
            "{failure:?}"
        );
    }
}

#[test]
fn whoever_says_that_it_was_revoked_is_heard() {
    let world = World::new();
    let good = about_person(&world);
    let bad = Draft {
        status: revoked(now().plus_seconds(-600), &[]),
        ..good.clone()
    };
    let list = || Some(world.issuing.list(&[]));
    let answers = || vec![by_issuer(&world, &good), by_issuer(&world, &bad)];
    for failure in [
        judged(&world, vec![by_issuer(&world, &bad)], list(), Policy::default()),
        judged(&world, answers(), None, Policy::default()),
        judged(
            &world,
            vec![by_issuer(&world, &good)],
            Some(
                world
                    .issuing
                    .list(&[(100, rcgen::RevocationReason::KeyCompromise)]),
            ),
            Policy::default(),
        ),
    ] {
        assert!(matches!(failure, Err(Failure::Revoked { .. })), "{failure:?}");
    }
}

/// An answer about the person by somebody whom the issuer certified so.
pub(super) fn by_delegate(world: &World, change: Change) -> (OcspAnswer, Leaf) {
    let responder = world.issuing.leaf("Responder", 120, change);
    (about_person(world).by_delegate(&responder), responder)
}

#[test]
fn a_delegated_responder_is_proven_unless_policy_lets_a_silent_one_be() {
    let world = World::new();
    let asked: Change =
        |params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
    let silent: Change = |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
        params.crl_distribution_points = Vec::new();
    };
    let lenient = || Policy {
        is_silent_responder_asked: false,
        ..Policy::default()
    };
    for (change, policy, is_proven) in [
        (asked, Policy::default(), false),
        (asked, lenient(), false),
        (silent, Policy::default(), false),
        (silent, lenient(), true),
    ] {
        let (answer, _) = by_delegate(&world, change);
        assert_eq!(judged(&world, vec![answer], None, policy).is_ok(), is_proven);
    }
    // Another answer, by the issuer, proves the responder.
    let (answer, responder) = by_delegate(&world, asked);
    let about = |status: &[u8]| {
        let draft = Draft {
            status: status.to_vec(),
            ..Draft::about(&responder.certificate, &world.issuing.certificate)
        };
        by_issuer(&world, &draft)
    };
    let again = || OcspAnswer::from_der(answer.der().to_vec()).expect("the same");
    assert!(judged(&world, vec![again(), about(GOOD)], None, Policy::default()).is_ok());
    let bad = about(&revoked(now().plus_seconds(-600), &[]));
    let failure = judged(&world, vec![again(), bad], None, Policy::default());
    assert!(
        matches!(failure, Err(Failure::RevocationUnknown { .. })),
        "{failure:?}"
    );
}

#[test]
fn the_answer_stands_in_the_report_as_what_settled_the_certificate() {
    let world = World::new();
    let answer = Arc::new(by_issuer(&world, &about_person(&world)));
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let candidates = vec![Arc::clone(&world.issuing.certificate)];
    let lists = vec![world.root.list(&[])];
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    let snapshot = snapshot.with_ocsp([Arc::clone(&answer)]);
    let signed = world.person.sign(b"content");
    let reports = crate::cms::validate(&signed, b"content", &snapshot, now());
    let RevocationSource::Answer(found) = &reports[0].revocation[0].source else {
        panic!("{:?}", reports[0]);
    };
    assert_eq!(found.fingerprint(), answer.fingerprint());
}

#[test]
fn a_list_that_is_overdue_still_revokes() {
    let world = World::new();
    let good = || vec![by_issuer(&world, &about_person(&world))];
    let revoked = [(100, rcgen::RevocationReason::KeyCompromise)];
    let overdue = |revoked: &[_]| Some(world.issuing.list_of(revoked, (5, 2), (5, 20)));
    assert!(judged(&world, good(), overdue(&[]), Policy::default()).is_ok());
    let failure = judged(&world, good(), overdue(&revoked), Policy::default());
    assert!(matches!(failure, Err(Failure::Revoked { .. })), "{failure:?}");
}

#[test]
fn a_responder_that_is_known_to_be_revoked_is_not_believed_although_nobody_has_to_ask() {
    let world = World::new();
    let revoked = [(120, rcgen::RevocationReason::KeyCompromise)];
    for (revoked, is_believed) in [(&revoked[..0], true), (&revoked[..], false)] {
        let (answer, _) = by_delegate(&world, unasked);
        let overdue = Some(world.issuing.list_of(revoked, (5, 2), (5, 20)));
        let verdict = judged(&world, vec![answer], overdue, Policy::default());
        assert_eq!(verdict.is_ok(), is_believed, "{verdict:?}");
    }
}

#[test]
fn an_answer_that_is_overdue_still_revokes() {
    let world = World::new();
    let overdue = Draft {
        status: revoked(now().plus_seconds(-7200), &[]),
        this_update: now().plus_seconds(-7200),
        next_update: Some(now().plus_seconds(-3600)),
        produced_at: now().plus_seconds(-7200),
        ..about_person(&world)
    };
    let list = Some(world.issuing.list(&[]));
    let failure = judged(&world, vec![by_issuer(&world, &overdue)], list, Policy::default());
    assert!(matches!(failure, Err(Failure::Revoked { .. })), "{failure:?}");
}

#[test]
fn a_responder_that_policy_pins_settles_certificates_of_every_issuer() {
    let world = World::new();
    let elsewhere = Authority::root("Elsewhere", |_| {});
    let draft = Draft {
        responder: by_name(&elsewhere.certificate),
        ..about_person(&world)
    };
    let judged = |ocsp_responders: Vec<Digest>| {
        let policy = Policy {
            ocsp_responders,
            ..Policy::default()
        };
        let anchors = vec![Arc::clone(&world.root.certificate)];
        let candidates = vec![
            Arc::clone(&world.issuing.certificate),
            Arc::clone(&elsewhere.certificate),
        ];
        let answer = draft.signed_by(&elsewhere).expect("an answer");
        let snapshot = Snapshot::new(anchors, candidates, vec![world.root.list(&[])], policy, 1);
        let snapshot = snapshot.with_ocsp([Arc::new(answer)]);
        crate::validate_certificate(&world.person.certificate, &[], &snapshot, now())
    };
    assert!(judged(vec![elsewhere.certificate.fingerprint()]).is_ok());
    for pinned in [vec![], vec![world.root.certificate.fingerprint()]] {
        let failure = judged(pinned);
        assert!(
            matches!(failure, Err(Failure::RevocationUnknown { .. })),
            "{failure:?}"
        );
    }
}

#[test]
fn an_answer_still_revokes_when_its_responder_has_ended() {
    let world = World::new();
    let ended: Change = |params| {
        unasked(params);
        params.not_after = rcgen::date_time_ymd(2026, 6, 10);
    };
    let responder = world.issuing.leaf("Responder", 120, ended);
    let made: Time = "2026-06-09T08:00:00Z".parse().expect("an instant");
    let said = |status: Vec<u8>| {
        let draft = Draft {
            status,
            this_update: made,
            produced_at: made,
            next_update: None,
            ..about_person(&world)
        };
        draft.by_delegate(&responder)
    };
    let list = || Some(world.issuing.list(&[]));
    let bad = said(revoked(made.plus_seconds(-60), &[]));
    let failure = judged(&world, vec![bad], list(), Policy::default());
    assert!(matches!(failure, Err(Failure::Revoked { .. })), "{failure:?}");
    // It proves nothing good any more.
    let failure = judged(&world, vec![said(GOOD.to_vec())], None, Policy::default());
    assert!(
        matches!(failure, Err(Failure::RevocationUnknown { .. })),
        "{failure:?}"
    );
}

#[test]
fn answers_about_others_of_the_same_number_hide_nothing() {
    let world = World::new();
    let other = Authority::root("Other", |_| {});
    let namesake = other.leaf("Namesake", 100, |_| {});
    assert_eq!(namesake.certificate.serial(), world.person.certificate.serial());
    let about_other = |seconds: i64| {
        let draft = Draft {
            produced_at: now().plus_seconds(-60 - seconds),
            this_update: now().plus_seconds(-60 - seconds),
            ..Draft::about(&namesake.certificate, &other.certificate)
        };
        draft.signed_by(&other).expect("an answer")
    };
    let bad = Draft {
        status: revoked(now().plus_seconds(-600), &[]),
        ..about_person(&world)
    };
    let mut answers: Vec<OcspAnswer> = (0..40).map(about_other).collect();
    answers.push(by_issuer(&world, &bad));
    let failure = judged(&world, answers, Some(world.issuing.list(&[])), Policy::default());
    assert!(matches!(failure, Err(Failure::Revoked { .. })), "{failure:?}");
}

#[test]
fn a_responder_is_held_to_the_names_that_its_issuer_may_certify() {
    let world = World::new();
    let constrained = world.root.authority("Constrained", 77, |params| {
        let mut name = rcgen::DistinguishedName::new();
        name.push(rcgen::DnType::CountryName, "VN");
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DirectoryName(name)],
            excluded_subtrees: Vec::new(),
        });
    });
    let person = constrained.leaf("Person", 9, |_| {});
    let responders: [Change; 2] = [unasked, |params| {
        unasked(params);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CountryName, "LA");
    }];
    let settled = responders.map(|change| {
        let responder = constrained.leaf("Responder", 10, change);
        let answer = Draft::about(&person.certificate, &constrained.certificate).by_delegate(&responder);
        let snapshot = Snapshot::new(
            vec![Arc::clone(&world.root.certificate)],
            vec![Arc::clone(&constrained.certificate)],
            vec![world.root.list(&[])],
            Policy::default(),
            1,
        );
        let snapshot = snapshot.with_ocsp([Arc::new(answer)]);
        crate::validate_certificate(&person.certificate, &[], &snapshot, now()).is_ok()
    });
    assert_eq!(settled, [true, false]);
}
