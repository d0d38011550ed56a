//! Paths and revocation, each refusal beside the case that passes.

mod absent;
mod constrained;

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, RevocationReason,
};

use super::*;
use crate::report::{Indication, SubIndication};
use crate::testing::{Authority, Change, IsCritical, Leaf, World, as_is, extension, issuer_access, now};
use crate::x509::Constraint;
use crate::{Policy, RevocationList, Snapshot, Time};

/// Judges the certificate of somebody who signed a document.
fn document_signer(
    leaf: &Arc<Certificate>,
    embedded: &[Arc<Certificate>],
    snapshot: &Snapshot,
    at: Time,
) -> Outcome {
    let question = Question::new(Usage::Document, snapshot, embedded, at);
    validate(
        leaf,
        question,
        &mut Budget::new(snapshot.policy().signature_checks_max),
    )
}

fn judge_leaf(leaf: &Leaf, snapshot: &Snapshot) -> Outcome {
    document_signer(&leaf.certificate, &[], snapshot, now())
}

/// The failure of a leaf made so, in the world where all else is good.
fn failure_of_leaf(change: Change) -> Option<Failure> {
    let world = World::new();
    judge_leaf(&world.issuing.leaf("Leaf", 500, change), &world.good()).failure
}

/// The failure below an issuing authority made so.
fn failure_of_authority(change: Change) -> Option<Failure> {
    let root = Authority::root("Root", as_is);
    let issuing = root.authority("Issuing", 2, change);
    let leaf = issuing.leaf("Leaf", 3, as_is);
    let lists: Vec<Arc<RevocationList>> = vec![root.list(&[])];
    let candidates = vec![Arc::clone(&issuing.certificate)];
    let anchors = vec![Arc::clone(&root.certificate)];
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::default(), 1);
    judge_leaf(&leaf, &snapshot).failure
}

#[test]
fn a_chain_of_three_passes_and_names_its_proofs() {
    let world = World::new();
    let outcome = judge_leaf(&world.person, &world.good());
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.chain.len(), 3);
    assert_eq!(outcome.chain[2], world.root.certificate);
    assert_eq!(outcome.proofs.len(), 2);
    assert!(outcome.needs.is_empty());
}

#[test]
fn asking_again_gives_the_same_answer() {
    let world = World::new();
    let snapshot = world.good();
    for _ in 0..3 {
        assert_eq!(judge_leaf(&world.person, &snapshot).failure, None);
    }
}

#[test]
fn an_issuer_among_the_embedded_certificates_is_found() {
    let world = World::new();
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let lists = vec![world.root.list(&[]), world.issuing.list(&[])];
    let snapshot = Snapshot::new(anchors, Vec::new(), lists, Policy::default(), 1);
    let embedded = [
        Arc::clone(&world.person.certificate),
        Arc::clone(&world.issuing.certificate),
    ];
    assert_eq!(
        document_signer(&world.person.certificate, &embedded, &snapshot, now()).failure,
        None
    );
}

#[test]
fn a_root_that_is_only_embedded_is_no_anchor() {
    let world = World::new();
    let other = World::new();
    let embedded = [
        Arc::clone(&other.issuing.certificate),
        Arc::clone(&other.root.certificate),
    ];
    let outcome = document_signer(&other.person.certificate, &embedded, &world.good(), now());
    assert!(
        matches!(outcome.failure, Some(Failure::NoPath { .. })),
        "{:?}",
        outcome.failure
    );
}

#[test]
fn an_issuer_of_the_same_name_and_another_key_is_none() {
    let world = World::new();
    let other = World::new();
    let outcome = judge_leaf(&other.person, &world.good());
    assert!(matches!(outcome.failure, Some(Failure::NoPath { .. })));
    assert!(outcome.needs.is_empty());
}

#[test]
fn a_revoked_signer_fails_for_good() {
    let world = World::new();
    let revoked = [
        (7, RevocationReason::Superseded),
        (100, RevocationReason::KeyCompromise),
    ];
    let outcome = judge_leaf(
        &world.person,
        &world.snapshot(vec![world.root.list(&[]), world.issuing.list(&revoked)]),
    );
    let failure = outcome.failure.expect("revoked");
    assert!(matches!(
        failure,
        Failure::Revoked {
            reason: crate::crl::RevocationReason::KeyCompromise,
            ..
        }
    ));
    let indication = failure.indication(Some(&world.person.certificate));
    assert_eq!(indication, Indication::Indeterminate(SubIndication::RevokedNoPoe));
    assert!(outcome.needs.is_empty());
}

#[test]
fn a_revoked_signer_fails_even_while_its_authority_is_unknown() {
    let world = World::new();
    let revoked = [(100, RevocationReason::KeyCompromise)];
    let outcome = judge_leaf(&world.person, &world.snapshot(vec![world.issuing.list(&revoked)]));
    assert!(matches!(outcome.failure, Some(Failure::Revoked { .. })));
}

#[test]
fn a_revoked_authority_fails_its_leaves() {
    let world = World::new();
    let root_list = world.root.list(&[(2, RevocationReason::CaCompromise)]);
    let outcome = judge_leaf(
        &world.person,
        &world.snapshot(vec![root_list, world.issuing.list(&[])]),
    );
    let failure = outcome.failure.expect("revoked");
    let indication = failure.indication(Some(&world.person.certificate));
    assert_eq!(
        indication,
        Indication::Indeterminate(SubIndication::RevokedCaNoPoe)
    );
}

#[test]
fn a_certificate_on_hold_is_tried_later() {
    let world = World::new();
    let list = world.issuing.list(&[(100, RevocationReason::CertificateHold)]);
    let outcome = judge_leaf(&world.person, &world.snapshot(vec![world.root.list(&[]), list]));
    let failure = outcome.failure.expect("on hold");
    assert!(matches!(failure, Failure::OnHold { .. }));
    assert_eq!(
        failure.indication(None),
        Indication::Indeterminate(SubIndication::TryLater)
    );
}

#[test]
fn without_a_fresh_list_the_status_is_unknown_and_the_list_is_asked_for() {
    let world = World::new();
    let stranger = Authority::root("Issuing", as_is);
    let cases: [(&str, Vec<Arc<RevocationList>>); 5] = [
        ("none", vec![]),
        ("overdue", vec![world.issuing.list_of(&[], (5, 1), (6, 1))]),
        (
            "from the future",
            vec![world.issuing.list_of(&[], (6, 20), (7, 20))],
        ),
        ("signed by another key of the same name", vec![stranger.list(&[])]),
        ("of the root only", vec![world.root.list(&[])]),
    ];
    for (case, mut lists) in cases {
        lists.push(world.root.list(&[]));
        let outcome = judge_leaf(&world.person, &world.snapshot(lists));
        assert!(
            matches!(outcome.failure, Some(Failure::RevocationUnknown { .. })),
            "{case}"
        );
        let urls = vec!["http://crl.example/issuing.crl".to_owned()];
        let issuers = vec![
            Arc::clone(&world.issuing.certificate),
            Arc::clone(&world.root.certificate),
        ];
        assert_eq!(outcome.needs, [Need::Crl { issuers, urls }], "{case}");
        assert_eq!(outcome.needs[0].issuer(), "C=VN, CN=Issuing", "{case}");
    }
}

#[test]
fn the_newest_list_speaks() {
    let world = World::new();
    let old = world.issuing.list_of(&[], (6, 1), (7, 1));
    let new = world
        .issuing
        .list_of(&[(100, RevocationReason::Superseded)], (6, 10), (7, 10));
    for lists in [vec![Arc::clone(&old), Arc::clone(&new)], vec![new, old]] {
        let mut lists = lists;
        lists.push(world.root.list(&[]));
        let outcome = judge_leaf(&world.person, &world.snapshot(lists));
        assert!(matches!(outcome.failure, Some(Failure::Revoked { .. })));
    }
}

#[test]
fn validity_is_judged_at_the_control_time() {
    let world = World::new();
    let snapshot = world.good();
    let certificate = &world.person.certificate;
    let at = |time: Time| document_signer(certificate, &[], &snapshot, time).failure;
    assert!(matches!(
        at(certificate.not_after().plus_seconds(1)),
        Some(Failure::Expired { .. })
    ));
    assert!(matches!(
        at(certificate.not_before().plus_seconds(-1)),
        Some(Failure::NotYetValid { .. })
    ));
    // Inside the validity, only the list is not fresh then.
    assert!(matches!(
        at(certificate.not_after()),
        Some(Failure::RevocationUnknown { .. })
    ));
}

#[test]
fn what_a_leaf_is_not_for_is_refused() {
    assert_eq!(failure_of_leaf(as_is), None);
    let refused = failure_of_leaf(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    assert!(matches!(refused, Some(Failure::KeyUsage { .. })));
    let allowed = failure_of_leaf(|params| params.key_usages = vec![KeyUsagePurpose::ContentCommitment]);
    assert_eq!(allowed, None);
    let purposes: [(Change, bool); 4] = [
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection],
            true,
        ),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
            false,
        ),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping],
            false,
        ),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning],
            false,
        ),
    ];
    for (change, is_allowed) in purposes {
        let failure = failure_of_leaf(change);
        assert_eq!(failure.is_none(), is_allowed);
        assert!(is_allowed || matches!(failure, Some(Failure::KeyPurpose { .. })));
    }
}

#[test]
fn a_critical_extension_that_is_not_known_fails_the_path_wherever_it_is() {
    fn unknown(params: &mut CertificateParams, is_critical: IsCritical) {
        let extension = extension(&[1, 2, 3, 4], &[0x30, 0], is_critical);
        params.custom_extensions.push(extension);
    }
    let change: Change = |params| unknown(params, IsCritical::Yes);
    for failure in [failure_of_leaf(change), failure_of_authority(change)] {
        let Some(Failure::ConstraintUnmet { constraint, .. }) = failure else {
            panic!("passed: {failure:?}");
        };
        assert_eq!(constraint, Constraint::UnknownCritical);
    }
    assert_eq!(failure_of_leaf(|params| unknown(params, IsCritical::No)), None);
}

#[test]
fn an_issuer_must_be_an_authority_that_may_sign_certificates() {
    let refused = failure_of_authority(|params| params.is_ca = IsCa::NoCa);
    assert!(matches!(refused, Some(Failure::NotAuthority { .. })));
    let refused = failure_of_authority(|params| params.is_ca = IsCa::ExplicitNoCa);
    assert!(matches!(refused, Some(Failure::NotAuthority { .. })));
    let refused = failure_of_authority(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]);
    assert!(matches!(refused, Some(Failure::KeyUsage { .. })));
    let refused = failure_of_authority(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert!(matches!(refused, Some(Failure::KeyPurpose { .. })));
}

#[test]
fn an_issuer_that_may_not_sign_lists_settles_nothing() {
    let root = Authority::root("Root", as_is);
    let no_lists: Change = |params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    for (change, may_sign) in [(as_is as Change, true), (no_lists, false)] {
        let issuing = root.authority("Issuing", 2, change);
        let leaf = issuing.leaf("Leaf", 3, as_is);
        let snapshot = Snapshot::new(
            vec![Arc::clone(&root.certificate)],
            vec![Arc::clone(&issuing.certificate)],
            vec![root.list(&[]), issuing.list(&[])],
            Policy::default(),
            1,
        );
        let failure = judge_leaf(&leaf, &snapshot).failure;
        assert_eq!(failure.is_none(), may_sign);
        assert!(may_sign || matches!(failure, Some(Failure::RevocationUnknown { .. })));
    }
}

#[test]
fn a_path_length_is_kept() {
    let none_below: Change = |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root = Authority::root("Root", none_below);
    let issuing = root.authority("Issuing", 2, as_is);
    let direct = root.leaf("Leaf", 3, as_is);
    let indirect = issuing.leaf("Leaf", 3, as_is);
    let snapshot = Snapshot::new(
        vec![Arc::clone(&root.certificate)],
        vec![Arc::clone(&issuing.certificate)],
        vec![root.list(&[]), issuing.list(&[])],
        Policy::default(),
        1,
    );
    assert_eq!(judge_leaf(&direct, &snapshot).failure, None);
    assert!(matches!(
        judge_leaf(&indirect, &snapshot).failure,
        Some(Failure::PathTooLong { .. })
    ));
}

#[test]
fn a_path_is_found_past_a_useless_cross_certificate() {
    let world = World::new();
    let useless = Authority::root("Other root", as_is);
    let cross = useless.authority("Issuing", 9, as_is);
    let candidates = vec![
        cross.certificate,
        useless.certificate,
        Arc::clone(&world.issuing.certificate),
    ];
    let lists = vec![world.root.list(&[]), world.issuing.list(&[])];
    let snapshot = Snapshot::new(
        vec![Arc::clone(&world.root.certificate)],
        candidates,
        lists,
        Policy::default(),
        1,
    );
    assert_eq!(judge_leaf(&world.person, &snapshot).failure, None);
}

#[test]
fn a_budget_that_is_spent_fails() {
    let world = World::new();
    let policy = Policy {
        signature_checks_max: 1,
        ..Policy::default()
    };
    let snapshot = Snapshot::new(
        vec![Arc::clone(&world.root.certificate)],
        vec![Arc::clone(&world.issuing.certificate)],
        vec![world.root.list(&[]), world.issuing.list(&[])],
        policy,
        1,
    );
    assert_eq!(
        judge_leaf(&world.person, &snapshot).failure,
        Some(Failure::BudgetSpent)
    );
}

#[test]
fn weak_algorithms_of_the_path_are_refused() {
    let world = World::new();
    let mut policy = Policy::default();
    policy.algorithms.curves = crate::policy::Limit::Until(now());
    let snapshot = Snapshot::new(
        vec![Arc::clone(&world.root.certificate)],
        vec![Arc::clone(&world.issuing.certificate)],
        vec![world.root.list(&[]), world.issuing.list(&[])],
        policy,
        1,
    );
    let failure = judge_leaf(&world.person, &snapshot).failure;
    assert!(matches!(failure, Some(Failure::AlgorithmRefused { .. })));
}

#[test]
fn a_weak_algorithm_is_good_where_the_leaf_that_it_signed_is_proven_to_be_older() {
    let root = Authority::root("Root", as_is);
    let rsa = || {
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        key.expect("a key")
    };
    let weak = root.authority_of(rsa(), ("Weak", 2), as_is);
    let below = weak.authority("Below", 3, as_is);
    let of_weak = weak.leaf("Of weak", 100, as_is);
    let of_below = below.leaf("Of below", 101, as_is);
    let (then, end) = (now().plus_seconds(-7200), now().plus_seconds(-3600));
    let policy = Policy {
        algorithms: crate::policy::AlgorithmPolicy {
            rsa_bits: vec![(2048, crate::policy::Limit::Until(end))],
            ..Policy::default().algorithms
        },
        ..Policy::default()
    };
    let anchors = vec![Arc::clone(&root.certificate)];
    let candidates = vec![Arc::clone(&weak.certificate), Arc::clone(&below.certificate)];
    let snapshot = Snapshot::new(anchors, candidates, Vec::new(), policy, 1);
    // Of lists it is not the matter here: they are signed anew all the time.
    let failure = |leaf: &Leaf, at: Time, is_leaf_proven| {
        let question = Question {
            now: now(),
            is_leaf_proven,
            demands: RevocationDemand::NotAsked.usual(),
            ..Question::new(Usage::Document, &snapshot, &[], at)
        };
        validate(&leaf.certificate, question, &mut Budget::new(100)).failure
    };
    assert_eq!(failure(&of_weak, then, true), None);
    for (at, is_leaf_proven) in [(then, false), (now(), true), (end, true)] {
        assert!(matches!(
            failure(&of_weak, at, is_leaf_proven),
            Some(Failure::AlgorithmRefused { .. })
        ));
    }
    // The authority in between may have been made since, whoever has broken the weak key.
    assert!(matches!(
        failure(&of_below, then, true),
        Some(Failure::AlgorithmRefused { certificate: Some(certificate), .. })
            if certificate == below.certificate
    ));
}

#[test]
fn what_could_not_be_paid_for_is_no_reason_to_pass() {
    let world = World::new();
    let (snapshot, leaf) = (world.good(), &world.person.certificate);
    let question = Question::new(Usage::Document, &snapshot, &[], now());
    let mut budget = Budget::new(100);
    assert_eq!(validate(leaf, question, &mut budget).failure, None);
    // All is remembered by now and costs nothing; but something before could not be looked at.
    assert!(!budget.spend_for(usize::MAX));
    let failure = validate(leaf, question, &mut budget).failure;
    assert!(matches!(failure, Some(Failure::BudgetSpent)));
}

#[test]
fn who_signed_a_list_is_never_excused() {
    let world = World::new();
    let snapshot = world.good();
    let revoked = Failure::Revoked {
        certificate: Arc::clone(&world.person.certificate),
        at: now().plus_seconds(-10),
        reason: crate::crl::RevocationReason::KeyCompromise,
    };
    let is_excused = |usage| {
        let question = Question {
            now: now(),
            ..Question::new(usage, &snapshot, &[], now().plus_seconds(-20))
        };
        question.is_excused(&revoked)
    };
    assert!(is_excused(Usage::Document));
    assert!(!is_excused(Usage::RevocationList));
}

#[test]
fn an_anchor_that_another_authority_issued_makes_no_policy_necessary() {
    let world = World::new();
    let anchors = vec![Arc::clone(&world.issuing.certificate)];
    let lists = vec![world.issuing.list(&[])];
    let snapshot = Snapshot::new(anchors, Vec::new(), lists, Policy::default(), 1);
    let outcome = judge_leaf(&world.person, &snapshot);
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
}
