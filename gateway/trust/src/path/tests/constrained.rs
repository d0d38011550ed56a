//! Names and policies that certificates on the path restrict.

use rcgen::{DnType, GeneralSubtree, NameConstraints, SanType};

use super::*;
use crate::asn1::write;

/// What fails below an authority and a leaf made so, under these demands.
fn failure_under(authority: Change, leaf: Change, demands: &Demands) -> Option<Failure> {
    let root = Authority::root("Root", as_is);
    let issuing = root.authority("Issuing", 2, authority);
    let leaf = issuing.leaf("Leaf", 3, leaf);
    let lists = vec![root.list(&[]), issuing.list(&[])];
    let candidates = vec![Arc::clone(&issuing.certificate)];
    let snapshot = Snapshot::new(vec![root.certificate], candidates, lists, Policy::default(), 1);
    let question = Question {
        demands,
        ..Question::new(Usage::Document, &snapshot, &[], now())
    };
    validate(&leaf.certificate, question, &mut Budget::new(100)).failure
}

fn constraint_of(failure: Option<Failure>) -> Option<Constraint> {
    match failure {
        None => None,
        Some(Failure::ConstraintUnmet { constraint, .. }) => Some(constraint),
        other => panic!("{other:?}"),
    }
}

fn named(authority: Change, leaf: Change) -> Option<Constraint> {
    constraint_of(failure_under(authority, leaf, &USUAL))
}

fn mailbox(params: &mut CertificateParams, mailbox: &str) {
    let mailbox = mailbox.try_into().expect("ASCII");
    params.subject_alt_names.push(SanType::Rfc822Name(mailbox));
}

#[test]
fn names_lie_in_permitted_subtrees_and_in_no_excluded_one() {
    let permitting: Change = |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::Rfc822Name("so.vn".into())],
            excluded_subtrees: Vec::new(),
        });
    };
    let excluding: Change = |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: Vec::new(),
            excluded_subtrees: vec![GeneralSubtree::Rfc822Name("so.vn".into())],
        });
    };
    let unmet = Some(Constraint::NameConstraints);
    assert_eq!(named(permitting, as_is), None, "no name of that kind");
    assert_eq!(named(permitting, |params| mailbox(params, "a@so.vn")), None);
    assert_eq!(named(permitting, |params| mailbox(params, "a@khac.vn")), unmet);
    assert_eq!(named(excluding, |params| mailbox(params, "a@khac.vn")), None);
    assert_eq!(named(excluding, |params| mailbox(params, "a@so.vn")), unmet);
    // What cannot be compared is refused both ways.
    assert_eq!(named(permitting, |params| mailbox(params, "so.vn")), unmet);
    assert_eq!(named(excluding, |params| mailbox(params, "so.vn")), unmet);
}

#[test]
fn the_subject_lies_in_permitted_directories() {
    let permitting: Change = |params| {
        let mut name = rcgen::DistinguishedName::new();
        name.push(DnType::CountryName, "VN");
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DirectoryName(name)],
            excluded_subtrees: Vec::new(),
        });
    };
    assert_eq!(named(permitting, as_is), None);
    let another: Change = |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "LA");
        params.distinguished_name.push(DnType::CommonName, "Leaf");
    };
    assert_eq!(named(permitting, another), Some(Constraint::NameConstraints));
}

const POLICIES: &[u64] = &[2, 5, 29, 32];
const MAPPINGS: &[u64] = &[2, 5, 29, 33];
const CONSTRAINTS: &[u64] = &[2, 5, 29, 36];
const INHIBIT_ANY: &[u64] = &[2, 5, 29, 54];
const ANY: &[u8] = &[0x55, 0x1D, 0x20, 0];
const ONE: &[u8] = &[0x2A, 1];
const OTHER: &[u8] = &[0x2A, 2];

fn add(params: &mut CertificateParams, identifier: &[u64], content: &[u8]) {
    let extension = extension(identifier, content, IsCritical::Yes);
    params.custom_extensions.push(extension);
}

fn with_policies(params: &mut CertificateParams, policies: &[&[u8]]) {
    let policies: Vec<Vec<u8>> = policies
        .iter()
        .map(|policy| write::element(0x30, &write::element(0x06, policy)))
        .collect();
    add(params, POLICIES, &write::element(0x30, &policies.concat()));
}

fn map(params: &mut CertificateParams, from: &[u8], to: &[u8]) {
    let pair = write::constructed(0x30, &[&write::element(0x06, from), &write::element(0x06, to)]);
    add(params, MAPPINGS, &write::element(0x30, &pair));
}

fn demanding(initial: Option<&[u8]>) -> Demands {
    Demands {
        policies: PolicyDemands {
            initial: initial.map(|policy| std::collections::BTreeSet::from([policy.into()])),
            is_explicit: true,
            ..Demands::USUAL.policies
        },
        ..Demands::USUAL
    }
}

fn policed(authority: Change, leaf: Change, demands: &Demands) -> Option<Constraint> {
    constraint_of(failure_under(authority, leaf, demands))
}

#[test]
fn an_explicit_policy_must_run_through_the_whole_path() {
    let one: Change = |params| with_policies(params, &[ONE]);
    let unmet = Some(Constraint::Policies);
    assert_eq!(policed(one, one, &demanding(None)), None);
    assert_eq!(policed(one, one, &demanding(Some(ONE))), None);
    assert_eq!(policed(one, one, &demanding(Some(OTHER))), unmet);
    assert_eq!(policed(one, as_is, &demanding(None)), unmet);
    assert_eq!(policed(as_is, one, &demanding(None)), unmet);
    assert_eq!(
        policed(one, |params| with_policies(params, &[OTHER]), &demanding(None)),
        unmet
    );
    assert_eq!(policed(one, as_is, &Demands::USUAL), None, "nobody asks");
    let asking: Change = |params| {
        with_policies(params, &[ONE]);
        add(params, CONSTRAINTS, &[0x30, 3, 0x80, 1, 0]);
    };
    assert_eq!(
        policed(asking, as_is, &Demands::USUAL),
        unmet,
        "the authority asks"
    );
    assert_eq!(policed(asking, one, &Demands::USUAL), None);
}

#[test]
fn any_policy_stands_for_every_one_until_it_is_inhibited() {
    let any: Change = |params| with_policies(params, &[ANY]);
    let one: Change = |params| with_policies(params, &[ONE]);
    let inhibiting: Change = |params| {
        with_policies(params, &[ONE]);
        add(params, INHIBIT_ANY, &[2, 1, 0]);
    };
    assert_eq!(policed(any, one, &demanding(Some(ONE))), None);
    assert_eq!(policed(one, any, &demanding(Some(ONE))), None);
    assert_eq!(policed(any, any, &demanding(Some(ONE))), None);
    assert_eq!(
        policed(any, one, &demanding(Some(OTHER))),
        Some(Constraint::Policies)
    );
    assert_eq!(
        policed(inhibiting, any, &demanding(None)),
        Some(Constraint::Policies)
    );
    assert_eq!(policed(inhibiting, one, &demanding(None)), None);
}

#[test]
fn a_mapped_policy_counts_as_that_of_the_issuer() {
    let mapping: Change = |params| {
        with_policies(params, &[ONE]);
        map(params, ONE, OTHER);
    };
    let other: Change = |params| with_policies(params, &[OTHER]);
    let unmet = Some(Constraint::Policies);
    assert_eq!(policed(mapping, other, &demanding(Some(ONE))), None);
    assert_eq!(policed(mapping, other, &demanding(Some(OTHER))), unmet);
    assert_eq!(
        policed(mapping, |params| with_policies(params, &[ONE]), &demanding(None)),
        unmet
    );
    let mut inhibited = demanding(Some(ONE));
    inhibited.policies.is_mapping_inhibited = true;
    assert_eq!(policed(mapping, other, &inhibited), unmet);
    let of_any: Change = |params| {
        with_policies(params, &[ANY]);
        map(params, ANY, OTHER);
    };
    assert_eq!(
        policed(of_any, other, &Demands::USUAL),
        unmet,
        "anyPolicy is never mapped"
    );
}

#[test]
fn many_policies_cost_no_more_than_they_are() {
    // Each certificate maps every policy to every other: a tree would have 12 to the power of the length nodes.
    let crossing: Change = |params| {
        let policies: Vec<[u8; 2]> = (1..=12).map(|number| [0x2A, number]).collect();
        let named: Vec<&[u8]> = policies.iter().map(<[u8; 2]>::as_slice).collect();
        with_policies(params, &named);
        let pairs = policies
            .iter()
            .flat_map(|from| policies.iter().map(move |to| (from, to)));
        let pair = |(from, to): (&[u8; 2], &[u8; 2])| {
            write::constructed(0x30, &[&write::element(0x06, from), &write::element(0x06, to)])
        };
        let pairs: Vec<Vec<u8>> = pairs.take(128).map(pair).collect();
        add(params, MAPPINGS, &write::element(0x30, &pairs.concat()));
    };
    let mut chain = vec![Authority::root("Root", as_is)];
    for number in 0..5 {
        let above = chain.last().expect("a root");
        chain.push(above.authority(&format!("A{number}"), 2, crossing));
    }
    let leaf = chain
        .last()
        .expect("authorities")
        .leaf("Leaf", 3, |params| with_policies(params, &[ONE]));
    let mut path = vec![leaf.certificate];
    path.extend(chain.iter().rev().map(|one| Arc::clone(&one.certificate)));
    assert!(policies::are_satisfied(&path, &demanding(Some(ONE))));
    assert!(!policies::are_satisfied(&path, &demanding(Some(&[0x2A, 99]))));
}

#[test]
fn one_purpose_is_allowed_by_everybody_on_the_path() {
    use rcgen::ExtendedKeyUsagePurpose as Purpose;
    let for_clients: Change = |params| params.extended_key_usages = vec![Purpose::ClientAuth];
    let for_both: Change = |params| {
        params.extended_key_usages = vec![Purpose::EmailProtection, Purpose::ClientAuth];
    };
    let for_mail: Change = |params| params.extended_key_usages = vec![Purpose::EmailProtection];
    let for_any: Change = |params| params.extended_key_usages = vec![Purpose::Any];
    for (authority, leaf, passes) in [
        (for_clients, for_clients, true),
        (for_clients, for_both, true),
        (for_clients, for_any, true),
        (for_any, for_mail, true),
        (as_is, for_mail, true),
        (for_clients, as_is, true),
        (for_clients, for_mail, false),
        (for_mail, for_clients, false),
    ] {
        let failure = failure_under(authority, leaf, &USUAL);
        assert_eq!(failure.is_none(), passes, "{failure:?}");
    }
}
