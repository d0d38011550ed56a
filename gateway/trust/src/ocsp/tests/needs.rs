//! What has to be asked for where nothing at hand settles a certificate, and how long what was answered is of use.

use super::*;
use crate::path::{Budget, Outcome, Question, Usage, validate};
use crate::report::Need;
use crate::testing::{Leaf, responder_access};
use crate::{Policy, Snapshot};

const RESPONDER: &str = "http://ocsp.example/";
const LIST: &str = "http://crl.example/issuing.crl";

/// What is said of a leaf when only the root has spoken of the authority above it, beside these answers.
fn judged(world: &World, leaf: &Leaf, answers: Vec<OcspAnswer>) -> Outcome {
    let snapshot = Snapshot::new(
        vec![Arc::clone(&world.root.certificate)],
        vec![Arc::clone(&world.issuing.certificate)],
        vec![world.root.list(&[])],
        Policy::default(),
        1,
    );
    let snapshot = snapshot.with_ocsp(answers.into_iter().map(Arc::new));
    let question = Question::new(Usage::Document, &snapshot, &[], now());
    validate(&leaf.certificate, question, &mut Budget::new(100))
}

fn leaf_with(world: &World, urls: &[&str]) -> Leaf {
    world.issuing.changed_leaf("Leaf", 500, &|params| {
        params.custom_extensions.push(responder_access(urls));
    })
}

fn path_of(world: &World, leaf: &Leaf) -> Vec<Arc<Certificate>> {
    [
        &leaf.certificate,
        &world.issuing.certificate,
        &world.root.certificate,
    ]
    .map(Arc::clone)
    .to_vec()
}

#[test]
fn where_a_certificate_names_a_responder_its_answer_is_needed_beside_the_list_and_settles_it() {
    let world = World::new();
    let leaf = leaf_with(&world, &["ldap://ocsp.example/", RESPONDER]);
    let outcome = judged(&world, &leaf, Vec::new());
    let path = path_of(&world, &leaf);
    let needs = [
        Need::Crl {
            issuers: path[1..].to_vec(),
            urls: vec![LIST.to_owned()],
        },
        Need::Ocsp {
            path,
            urls: vec![RESPONDER.to_owned()],
        },
    ];
    assert_eq!(outcome.needs, needs);
    assert_eq!(outcome.needs[1].issuer(), "C=VN, CN=Issuing");
    let good = Draft::about(&leaf.certificate, &world.issuing.certificate);
    let answer = good.signed_by(&world.issuing).expect("an answer");
    let outcome = judged(&world, &leaf, vec![answer]);
    assert!(
        outcome.failure.is_none() && outcome.needs.is_empty(),
        "{:?}",
        outcome.failure
    );
}

#[test]
fn of_many_responders_few_are_asked_and_of_none_none() {
    let world = World::new();
    let urls: Vec<String> = (0..20).map(|number| format!("{RESPONDER}{number}")).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let asked = |urls: &[&str]| -> Vec<usize> {
        let outcome = judged(&world, &leaf_with(&world, urls), Vec::new());
        let needs = outcome.needs.iter().filter_map(|need| match need {
            Need::Ocsp { urls, .. } => Some(urls.len()),
            Need::Crl { .. } | Need::Issuer { .. } => None,
        });
        needs.collect()
    };
    assert_eq!(asked(&urls), [4]);
    assert_eq!(asked(&["ldap://ocsp.example/"]), [0_usize; 0]);
}

#[test]
fn a_responder_that_is_not_proven_itself_says_where_its_list_is() {
    let world = World::new();
    let responder = world.issuing.leaf("Responder", 120, |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
        params.crl_distribution_points = vec![rcgen::CrlDistributionPoint {
            uris: vec!["http://crl.example/of-responders.crl".to_owned()],
        }];
    });
    let leaf = leaf_with(&world, &[RESPONDER]);
    let draft = Draft {
        responder: by_name(&responder.certificate),
        certificates: vec![Arc::clone(&responder.certificate)],
        ..Draft::about(&leaf.certificate, &world.issuing.certificate)
    };
    let basic = draft.basic(|octets| crate::Signer::sign(&responder.key, octets).expect("a signature"));
    let answer = OcspAnswer::from_der(response(&basic)).expect("an answer");
    let outcome = judged(&world, &leaf, vec![answer]);
    let Some(Need::Crl { urls, .. }) = outcome.needs.first() else {
        panic!("{:?}", outcome.needs)
    };
    assert_eq!(*urls, [LIST, "http://crl.example/of-responders.crl"]);
}

#[test]
fn what_was_revoked_for_good_is_of_use_for_ever_and_all_else_for_a_while() {
    let (world, draft) = honest();
    let ends = |draft: &Draft| {
        let answer = draft.signed_by(&world.issuing).expect("an answer");
        (
            answer.ends_at(600),
            answer.said_of(&world.organisation.certificate, &world.issuing.certificate),
        )
    };
    let (end, said) = ends(&draft);
    assert_eq!(end, draft.next_update);
    let said = said.expect("it is about the organisation");
    assert_eq!(said.status, CertificateStatus::Good);
    assert_eq!(
        (said.this_update, said.next_update),
        (draft.this_update, draft.next_update)
    );
    assert!(!said.is_final());
    let open = Draft {
        next_update: None,
        ..draft.clone()
    };
    assert_eq!(ends(&open).0, Some(draft.this_update.plus_seconds(600)));
    for (code, is_final) in [(1, true), (6, false)] {
        let revoked = Draft {
            status: revoked(now().plus_seconds(-600), &reason(code)),
            ..draft.clone()
        };
        let (end, said) = ends(&revoked);
        assert_eq!(end.is_none(), is_final, "reason {code}");
        assert_eq!(said.map(|said| said.is_final()), Some(is_final), "reason {code}");
    }
    let answer = draft.signed_by(&world.issuing).expect("an answer");
    let other = answer.said_of(&world.person.certificate, &world.issuing.certificate);
    assert_eq!(other, None, "it is about somebody else");
}

#[test]
fn a_later_snapshot_remembers_what_an_earlier_one_saw_verified() {
    let world = World::new();
    let earlier = world.good();
    crate::validate_certificate(&world.person.certificate, &[], &earlier, now()).expect("a path");
    let (key, object) = (
        world.issuing.certificate.key_digest(),
        world.person.certificate.fingerprint(),
    );
    assert!(!world.good().is_verified(&key, &object));
    assert!(world.good().remembering(&earlier).is_verified(&key, &object));
}
