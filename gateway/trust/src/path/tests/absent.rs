//! What is not at hand is asked for, and is no reason to refuse.

use super::*;

#[test]
fn an_issuer_that_can_be_fetched_is_asked_for() {
    let root = Authority::root("Root", as_is);
    let issuing = root.authority("Issuing", 2, as_is);
    let leaf = issuing.leaf("Leaf", 3, |params| {
        params
            .custom_extensions
            .push(issuer_access("http://ca.example/issuing.crt"));
    });
    let snapshot = Snapshot::new(
        vec![Arc::clone(&root.certificate)],
        Vec::new(),
        Vec::new(),
        Policy::default(),
        1,
    );
    let outcome = judge_leaf(&leaf, &snapshot);
    let urls = vec!["http://ca.example/issuing.crt".to_owned()];
    let of = Arc::clone(&leaf.certificate);
    assert_eq!(outcome.needs, [Need::Issuer { of, urls }]);
    assert_eq!(outcome.needs[0].issuer(), "C=VN, CN=Issuing");
    let indication = outcome
        .failure
        .map(|failure| failure.indication(Some(&leaf.certificate)));
    assert_eq!(
        indication,
        Some(Indication::Indeterminate(SubIndication::TryLater)),
        "that we lack it is no reason to refuse"
    );
    // Once it is there the question is the next one.
    let snapshot = Snapshot::new(
        vec![Arc::clone(&root.certificate)],
        vec![Arc::clone(&issuing.certificate)],
        Vec::new(),
        Policy::default(),
        2,
    );
    let outcome = judge_leaf(&leaf, &snapshot);
    assert!(matches!(outcome.failure, Some(Failure::RevocationUnknown { .. })));
}

#[test]
fn nothing_is_fetched_for_what_fails_in_any_case() {
    let root = Authority::root("Root", as_is);
    let issuing = root.authority("Issuing", 2, as_is);
    let changes: [(&str, Change); 4] = [
        ("expired", |params| {
            params.not_after = rcgen::date_time_ymd(2026, 1, 1)
        }),
        ("not yet valid", |params| {
            params.not_before = rcgen::date_time_ymd(2027, 1, 1)
        }),
        ("of a server", |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }),
        ("not over the web", |params| {
            params.custom_extensions = vec![issuer_access("ldap://ca.example/cn=Issuing")];
        }),
    ];
    let add_access: Change = |params| {
        params
            .custom_extensions
            .push(issuer_access("http://ca.example/issuing.crt"));
    };
    let snapshot = Snapshot::new(
        vec![Arc::clone(&root.certificate)],
        Vec::new(),
        Vec::new(),
        Policy::default(),
        1,
    );
    for (case, change) in changes {
        let leaf = issuing.changed_leaf("Leaf", 3, &|params| {
            add_access(params);
            change(params);
        });
        let outcome = judge_leaf(&leaf, &snapshot);
        assert!(
            matches!(outcome.failure, Some(Failure::NoPath { .. })),
            "{case}: {:?}",
            outcome.failure
        );
        assert!(outcome.needs.is_empty(), "{case}");
    }
}

#[test]
fn nothing_is_fetched_for_a_certificate_signed_in_an_unknown_way() {
    let root = Authority::root("Root", as_is);
    let leaf = root.leaf("Leaf", 3, |params| {
        params
            .custom_extensions
            .push(issuer_access("http://ca.example/root.crt"));
    });
    // ECDSA with SHA-256, and with SHA-224, which is not known here (RFC 5758 §3.2).
    let [known, unknown] = [2, 1].map(|last| [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, last]);
    let mut der = leaf.certificate.der().to_vec();
    let places: Vec<usize> = memchr::memmem::find_iter(&der, &known).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        der[at..at + unknown.len()].copy_from_slice(&unknown);
    }
    let other = Arc::new(Certificate::from_der(&der).expect("a certificate"));
    let anchors = vec![Arc::clone(&root.certificate)];
    let snapshot = Snapshot::new(anchors, Vec::new(), Vec::new(), Policy::default(), 1);
    let outcome = document_signer(&other, &[], &snapshot, now());
    let Some(failure) = outcome.failure else {
        panic!("it passed")
    };
    assert!(
        matches!(&failure, Failure::SignatureAlgorithmUnknown { certificate: Some(one) } if *one == other),
        "{failure:?}"
    );
    let indication = failure.indication(Some(&other));
    let expected = SubIndication::CryptoConstraintsFailure;
    assert_eq!(indication, Indication::Indeterminate(expected));
    assert!(outcome.needs.is_empty());
}

/// A leaf that says where its issuer is, which is at hand only as a certificate of a stranger.
struct DeadEnd {
    root: Authority,
    issuing: Authority,
    stranger: Arc<Certificate>,
    leaf: Leaf,
}

const OF_LEAF: &str = "http://ca.example/issuing.crt";
const OF_STRANGER: &str = "http://stranger.example/other.crt";

impl DeadEnd {
    fn new(change: Change) -> DeadEnd {
        let root = Authority::root("Root", as_is);
        let issuing = root.authority("Issuing", 2, as_is);
        let stranger = issuing.certified_by(&Authority::root("Stranger", as_is), change);
        let leaf = issuing.leaf("Leaf", 3, |params| {
            params.custom_extensions.push(issuer_access(OF_LEAF));
        });
        DeadEnd {
            root,
            issuing,
            stranger,
            leaf,
        }
    }

    fn judge(&self, candidates: &[&Arc<Certificate>], gave: &[(&str, &Certificate)]) -> Outcome {
        let gave = gave
            .iter()
            .map(|(url, certificate)| ((*url).to_owned(), certificate.fingerprint()));
        let snapshot = Snapshot::new(
            vec![Arc::clone(&self.root.certificate)],
            candidates.iter().copied().cloned().collect(),
            Vec::new(),
            Policy::default(),
            1,
        );
        judge_leaf(&self.leaf, &snapshot.with_answers(gave))
    }

    fn needed(outcome: &Outcome) -> Vec<String> {
        let urls = |need: &Need| match need {
            Need::Issuer { urls, .. } => urls.clone(),
            Need::Crl { .. } | Need::Ocsp { .. } => {
                panic!("no path is at hand whose lists could be asked for")
            }
        };
        outcome.needs.iter().flat_map(urls).collect()
    }
}

#[test]
fn an_issuer_that_leads_nowhere_keeps_none_from_being_asked_for() {
    let world = DeadEnd::new(as_is);
    let outcome = world.judge(&[&world.stranger], &[]);
    assert_eq!(DeadEnd::needed(&outcome), [OF_LEAF]);
    // Embedded in the signature it leads nowhere just the same.
    let snapshot = Snapshot::new(
        vec![Arc::clone(&world.root.certificate)],
        Vec::new(),
        Vec::new(),
        Policy::default(),
        1,
    );
    let embedded = [Arc::clone(&world.stranger)];
    let outcome = document_signer(&world.leaf.certificate, &embedded, &snapshot, now());
    assert_eq!(DeadEnd::needed(&outcome), [OF_LEAF]);
    // With the right one beside it, the question is the next one.
    let outcome = world.judge(
        &[&world.stranger, &world.issuing.certificate],
        &[(OF_LEAF, &world.issuing.certificate)],
    );
    assert!(matches!(outcome.failure, Some(Failure::RevocationUnknown { .. })));
}

#[test]
fn whichever_issuer_may_help_is_asked_for_the_nearest_first() {
    let world = DeadEnd::new(|params| params.custom_extensions.push(issuer_access(OF_STRANGER)));
    let outcome = world.judge(&[&world.stranger], &[]);
    assert_eq!(DeadEnd::needed(&outcome), [OF_LEAF, OF_STRANGER]);
}

#[test]
fn the_wait_ends_when_every_address_gave_an_issuer_that_leads_nowhere() {
    let world = DeadEnd::new(as_is);
    let outcome = world.judge(&[&world.stranger], &[(OF_LEAF, &world.stranger)]);
    assert!(matches!(outcome.failure, Some(Failure::NoPath { .. })));
    assert!(outcome.needs.is_empty());
    // An answer that is no longer at hand, or that is another's issuer, is none.
    let outcome = world.judge(&[], &[(OF_LEAF, &world.stranger)]);
    assert_eq!(DeadEnd::needed(&outcome), [OF_LEAF]);
    let other = Authority::root("Other", as_is).certificate;
    let outcome = world.judge(&[&world.stranger, &other], &[(OF_LEAF, &other)]);
    assert_eq!(DeadEnd::needed(&outcome), [OF_LEAF]);
}

#[test]
fn a_list_of_an_embedded_issuer_is_asked_for_together_with_the_issuer() {
    let world = World::new();
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let snapshot = Snapshot::new(
        anchors,
        Vec::new(),
        vec![world.root.list(&[])],
        Policy::default(),
        1,
    );
    let embedded = [Arc::clone(&world.issuing.certificate)];
    let outcome = document_signer(&world.person.certificate, &embedded, &snapshot, now());
    let urls = vec!["http://crl.example/issuing.crl".to_owned()];
    let issuers = vec![
        Arc::clone(&world.issuing.certificate),
        Arc::clone(&world.root.certificate),
    ];
    assert_eq!(outcome.needs, [Need::Crl { issuers, urls }]);
}
