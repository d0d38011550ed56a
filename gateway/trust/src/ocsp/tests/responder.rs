//! Who may answer: the issuer, whom it names for that, and whom the operator names.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyUsagePurpose, date_time_ymd};

use super::*;
use crate::cms::Signer;
use crate::policy::Policy;
use crate::snapshot::Snapshot;
use crate::testing::{IsCritical, Leaf, as_is};

fn no_check(value: &[u8]) -> rcgen::CustomExtension {
    crate::testing::extension(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], value, IsCritical::No)
}

fn for_answers(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    params.custom_extensions.push(no_check(&[5, 0]));
}

/// An answer about the organisation, signed by a responder whose certificate comes with it.
fn answer_of(world: &World, responder: &Leaf) -> OcspAnswer {
    answer_about(&world.organisation.certificate, world, responder)
}

fn answer_about(certificate: &Certificate, world: &World, responder: &Leaf) -> OcspAnswer {
    let draft = Draft {
        responder: by_name(&responder.certificate),
        certificates: vec![Arc::clone(&responder.certificate)],
        ..Draft::about(certificate, &world.issuing.certificate)
    };
    signed(&draft, responder)
}

fn signed(draft: &Draft, responder: &Leaf) -> OcspAnswer {
    let basic = draft.basic(|octets| responder.key.sign(octets).expect("a signature"));
    OcspAnswer::from_der(response(&basic)).expect("an answer")
}

fn judged(
    world: &World,
    answer: &OcspAnswer,
    responders: &[Arc<Certificate>],
) -> Result<Responder, Unusable> {
    let question = Question {
        certificate: &world.organisation.certificate,
        issuer: &world.issuing.certificate,
        responders,
        nonce: None,
        at: now(),
        now: now(),
    };
    let snapshot = Snapshot::new(Vec::new(), Vec::new(), Vec::new(), Policy::default(), 1);
    answer.judge(question, &snapshot).map(|verdict| {
        assert_eq!(verdict.status, CertificateStatus::Good);
        verdict.responder
    })
}

#[test]
fn a_responder_that_the_issuer_certified_may_answer() {
    let world = World::new();
    let responder = world.issuing.leaf("Responder", 50, for_answers);
    let certificate = Arc::clone(&responder.certificate);
    let answer = answer_of(&world, &responder);
    assert_eq!(
        judged(&world, &answer, &[]),
        Ok(Responder::Delegated(Arc::clone(&certificate)))
    );
    let by_key = Draft {
        responder: by_key(&certificate),
        certificates: vec![Arc::clone(&world.root.certificate), Arc::clone(&certificate)],
        ..Draft::about(&world.organisation.certificate, &world.issuing.certificate)
    };
    let answer = signed(&by_key, &responder);
    assert_eq!(
        judged(&world, &answer, &[]),
        Ok(Responder::Delegated(certificate))
    );
}

#[test]
fn a_responder_that_may_be_revoked_itself_is_told_apart() {
    let world = World::new();
    let purpose: crate::testing::Change =
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    let malformed: crate::testing::Change = |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
        params.custom_extensions.push(no_check(&[4, 0]));
    };
    for change in [purpose, malformed] {
        let responder = world.issuing.leaf("Responder", 50, change);
        let answer = answer_of(&world, &responder);
        let expected = Responder::DelegatedUnproven(Arc::clone(&responder.certificate));
        assert_eq!(judged(&world, &answer, &[]), Ok(expected));
    }
}

#[test]
fn a_responder_must_be_fit_for_answers() {
    type Change = crate::testing::Change;
    let world = World::new();
    let cases: [(Change, Option<Unusable>); 12] = [
        (|_| {}, None),
        (|params| params.key_usages.clear(), None),
        (
            |params| params.key_usages = vec![KeyUsagePurpose::ContentCommitment],
            None,
        ),
        (
            |params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment],
            Some(Unusable::ResponderKeyUsage),
        ),
        (
            |params| params.key_usages = vec![KeyUsagePurpose::CrlSign],
            Some(Unusable::ResponderKeyUsage),
        ),
        (
            |params| params.extended_key_usages.clear(),
            Some(Unusable::ResponderPurpose),
        ),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any],
            Some(Unusable::ResponderPurpose),
        ),
        (
            |params| {
                params
                    .extended_key_usages
                    .push(ExtendedKeyUsagePurpose::ServerAuth)
            },
            None,
        ),
        (
            |params| params.not_after = date_time_ymd(2026, 6, 15),
            Some(Unusable::ResponderValidity),
        ),
        (
            |params| params.not_before = date_time_ymd(2026, 6, 16),
            Some(Unusable::ResponderValidity),
        ),
        (|params| params.not_after = date_time_ymd(2026, 6, 16), None),
        (
            |params| {
                let unknown = crate::testing::extension(&[1, 2, 3], &[5, 0], IsCritical::Yes);
                params.custom_extensions.push(unknown);
            },
            Some(Unusable::ResponderConstraint),
        ),
    ];
    for (place, (change, expected)) in cases.into_iter().enumerate() {
        let responder = world.issuing.changed_leaf("Responder", 50, &|params| {
            for_answers(params);
            change(params);
        });
        let answer = answer_of(&world, &responder);
        assert_eq!(judged(&world, &answer, &[]).err(), expected, "{place}");
    }
}

#[test]
fn a_responder_must_have_been_valid_when_it_answered() {
    let world = World::new();
    let responder = world.issuing.leaf("Responder", 50, |params| {
        for_answers(params);
        params.not_before = date_time_ymd(2026, 6, 15);
    });
    for (hours_ago, expected) in [(7, None), (9, Some(Unusable::ResponderValidity))] {
        let at = now().plus_seconds(-3600 * hours_ago);
        let draft = Draft {
            responder: by_name(&responder.certificate),
            certificates: vec![Arc::clone(&responder.certificate)],
            this_update: at,
            produced_at: at,
            ..Draft::about(&world.organisation.certificate, &world.issuing.certificate)
        };
        let answer = signed(&draft, &responder);
        assert_eq!(judged(&world, &answer, &[]).err(), expected);
    }
}

#[test]
fn nobody_else_may_answer() {
    let world = World::new();
    // The issuer of the issuer named it, not the issuer itself.
    let of_root = world.root.leaf("Responder", 50, for_answers);
    let uncertified = Err(Unusable::ResponderUncertified);
    assert_eq!(judged(&world, &answer_of(&world, &of_root), &[]), uncertified);
    // An authority of the issuer's name with another key named it.
    let impostor = world.root.authority("Issuing", 9, as_is);
    let of_impostor = impostor.leaf("Responder", 50, for_answers);
    assert_eq!(judged(&world, &answer_of(&world, &of_impostor), &[]), uncertified);
    // A certificate of the issuer that answers in the issuer's name.
    let person = world.issuing.leaf("Responder", 50, for_answers);
    let in_its_name = Draft::about(&world.organisation.certificate, &world.issuing.certificate);
    let answer = signed(&in_its_name, &person);
    assert_eq!(judged(&world, &answer, &[]), Err(Unusable::SignatureWrong));
    // One that is named and not there, and one that is there and did not sign.
    let absent = Draft {
        responder: by_name(&person.certificate),
        ..in_its_name
    };
    assert_eq!(
        judged(&world, &signed(&absent, &person), &[]),
        Err(Unusable::ResponderUnknown)
    );
    let stolen = Draft {
        certificates: vec![Arc::clone(&person.certificate)],
        ..absent
    };
    assert_eq!(
        judged(&world, &signed(&stolen, &of_root), &[]),
        Err(Unusable::SignatureWrong)
    );
    assert!(judged(&world, &signed(&stolen, &person), &[]).is_ok());
}

#[test]
fn nobody_answers_about_itself() {
    let world = World::new();
    let responder = world.issuing.leaf("Responder", 50, for_answers);
    let answer = answer_about(&responder.certificate, &world, &responder);
    let question = Question {
        certificate: &responder.certificate,
        issuer: &world.issuing.certificate,
        responders: &[],
        nonce: None,
        at: now(),
        now: now(),
    };
    let snapshot = Snapshot::new(Vec::new(), Vec::new(), Vec::new(), Policy::default(), 1);
    assert_eq!(answer.judge(question, &snapshot), Err(Unusable::ResponderItself));
    let other = world.issuing.leaf("Other", 51, for_answers);
    let answer = answer_about(&responder.certificate, &world, &other);
    assert!(answer.judge(question, &snapshot).is_ok());
}

#[test]
fn a_responder_of_the_operator_needs_no_other_word() {
    let world = World::new();
    let elsewhere = Authority::root("Elsewhere", as_is);
    let responder = elsewhere.leaf("Responder", 50, as_is);
    let trusted = [Arc::clone(&responder.certificate)];
    let answer = answer_of(&world, &responder);
    assert_eq!(judged(&world, &answer, &[]), Err(Unusable::ResponderUncertified));
    let expected = Responder::Configured(Arc::clone(&responder.certificate));
    assert_eq!(judged(&world, &answer, &trusted), Ok(expected));
    // Another one of that name.
    let impostor = elsewhere.leaf("Responder", 51, as_is);
    let forged = answer_of(&world, &impostor);
    assert_eq!(judged(&world, &forged, &trusted), Err(Unusable::SignatureWrong));
    let expired = elsewhere.leaf("Responder", 52, |params| {
        params.not_after = date_time_ymd(2026, 6, 1)
    });
    let late = answer_of(&world, &expired);
    let trusted = [Arc::clone(&expired.certificate)];
    assert_eq!(judged(&world, &late, &trusted), Err(Unusable::ResponderValidity));
}
