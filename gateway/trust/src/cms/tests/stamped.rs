//! Signatures with time-stamps: what is proven, what is not, and what it changes.

mod unbound;
mod waiting;

use rcgen::{RevocationReason, date_time_ymd};

use super::*;
use crate::policy::{AlgorithmPolicy, Limit};
use crate::report::RevocationSource;
use crate::testing::stamp::{Parts, Stamp, attribute};
use crate::testing::{Leaf, as_is};
use crate::{RevocationList, TimeStampKind};

/// Before and after the first of May 2026, when certificates of the tests are revoked.
const APRIL: &str = "20260420080000Z";
const MAY: &str = "20260520080000Z";

struct Office {
    world: World,
    authority: Leaf,
}

impl Office {
    fn new() -> Self {
        let world = World::new();
        let authority = world.issuing.time_stamper(200);
        Self { world, authority }
    }

    fn token(&self, data: &[u8], time: &str) -> Vec<u8> {
        Stamp::over(data, time).sign(&self.authority)
    }

    /// A signature of the organisation with a signature-time-stamp of this time.
    fn stamped(&self, time: &str) -> Vec<u8> {
        let parts = Parts::of_data(&self.world.organisation, CONTENT, &[]);
        let token = self.token(&parts.value, time);
        parts.stamped(&token).encode()
    }

    fn judge(&self, signature: &[u8], lists: Vec<Arc<RevocationList>>) -> SealReport {
        judge(signature, &self.world.snapshot(lists))
    }

    /// The lists of June, with these revoked by the issuing authority.
    fn lists(&self, revoked: &[(u64, RevocationReason)]) -> Vec<Arc<RevocationList>> {
        vec![self.world.root.list(&[]), self.world.issuing.list(revoked)]
    }
}

fn judge(signature: &[u8], snapshot: &Snapshot) -> SealReport {
    sole(validate(signature, CONTENT, snapshot, now()))
}

fn time(text: &str) -> Time {
    text.parse().expect("an instant")
}

#[test]
fn a_time_stamp_gives_the_best_signature_time() {
    let office = Office::new();
    let report = office.judge(&office.stamped(MAY), office.lists(&[]));
    assert_eq!(report.failure, None);
    assert_eq!(report.best_signature_time, time("2026-05-20T08:00:00Z"));
    assert!(report.remarks.is_empty());
    let [stamp] = &report.time_stamps[..] else {
        panic!("one time-stamp")
    };
    assert_eq!(stamp.kind, TimeStampKind::Signature);
    assert!(stamp.is_passed());
    assert_eq!(stamp.revocation.len(), 2);
}

#[test]
fn a_time_stamp_in_ber_inside_of_ber_passes() {
    let office = Office::new();
    let report = office.judge(&indefinite(&office.stamped(MAY)), office.lists(&[]));
    assert!(report.is_passed());
    assert_eq!(report.best_signature_time, time("2026-05-20T08:00:00Z"));
}

#[test]
fn the_earliest_of_several_counts() {
    let office = Office::new();
    let mut parts = Parts::of_data(&office.world.organisation, CONTENT, &[]);
    for time in [MAY, APRIL, "20260601080000Z"] {
        let token = office.token(&parts.value, time);
        parts = parts.stamped(&token);
    }
    let report = office.judge(&parts.encode(), office.lists(&[]));
    assert!(report.is_passed());
    assert_eq!(report.best_signature_time, time("2026-04-20T08:00:00Z"));
    assert_eq!(report.time_stamps.len(), 3);
}

#[test]
fn a_time_stamp_that_does_not_pass_changes_nothing() {
    let (office, other) = (Office::new(), Office::new());
    let parts = || Parts::of_data(&office.world.organisation, CONTENT, &[]);
    let of_other_value = parts().stamped(&office.token(b"another value", APRIL));
    let stranger = parts();
    let token = other.token(&stranger.value, APRIL);
    for (signature, expected) in [
        (of_other_value, "imprint"),
        (stranger.stamped(&token), "path"),
        (parts().stamped(b"\x04\x01a"), "malformed"),
    ] {
        let signature = signature.encode();
        let report = office.judge(&signature, office.lists(&[]));
        assert!(report.is_passed(), "{expected}");
        assert_eq!(report.remarks, [Remark::TimeStampInvalid], "{expected}");
        assert_eq!(report.best_signature_time, now());
        let failure = report.time_stamps[0].failure.as_ref().expect("a failure");
        let is_expected = match expected {
            "imprint" => *failure == Failure::TimeStampImprint,
            "path" => matches!(failure, Failure::NoPath { .. }),
            _ => matches!(failure, Failure::TimeStampMalformed(_)),
        };
        assert!(is_expected, "{expected}: {failure}");
        // Nor does it save a signer who was revoked later than it says.
        let revoked = office.lists(&[(101, RevocationReason::Superseded)]);
        let report = office.judge(&signature, revoked);
        assert_eq!(
            report.indication,
            Indication::Indeterminate(SubIndication::RevokedNoPoe)
        );
    }
}

#[test]
fn a_signer_revoked_after_the_proof_passes_with_the_proof() {
    let office = Office::new();
    let revoked = || office.lists(&[(101, RevocationReason::KeyCompromise)]);
    let report = office.judge(&office.stamped(APRIL), revoked());
    assert_eq!(report.failure, None);
    assert_eq!(report.revocation.len(), 2);
    let RevocationSource::List(list) = &report.revocation[0].source else {
        panic!("no list")
    };
    let revocation = list.revocation_of(office.world.organisation.certificate.serial());
    assert!(revocation.is_some_and(|revocation| report.best_signature_time < revocation.at));
    // Revoked before, or nothing proven.
    for signature in [
        office.stamped(MAY),
        office.stamped("20260501000000Z"),
        Parts::of_data(&office.world.organisation, CONTENT, &[]).encode(),
    ] {
        let report = office.judge(&signature, revoked());
        assert_eq!(
            report.indication,
            Indication::Indeterminate(SubIndication::RevokedNoPoe)
        );
    }
}

#[test]
fn the_accuracy_of_a_token_counts_against_the_signer() {
    let office = Office::new();
    let of = |accuracy_seconds: u8| {
        let parts = Parts::of_data(&office.world.organisation, CONTENT, &[]);
        let accuracy = write::element(0x30, &[2, 1, accuracy_seconds]);
        let stamp = Stamp::over(&parts.value, "20260430235900Z").with(accuracy);
        let signature = parts.stamped(&stamp.sign(&office.authority)).encode();
        let revoked = office.lists(&[(101, RevocationReason::KeyCompromise)]);
        office.judge(&signature, revoked).is_passed()
    };
    assert!(of(59));
    assert!(!of(60));
}

#[test]
fn an_authority_revoked_after_the_proof_is_not_excused() {
    let office = Office::new();
    let root = office.world.root.list(&[(2, RevocationReason::CaCompromise)]);
    // A time-stamp authority of its own, so that the token passes.
    let timing = office.world.root.authority("Timing", 3, as_is);
    let authority = timing.time_stamper(200);
    let parts = Parts::of_data(&office.world.organisation, CONTENT, &[]);
    let token = Stamp::over(&parts.value, APRIL).sign(&authority);
    let signature = parts.stamped(&token).encode();
    let snapshot = Snapshot::new(
        vec![Arc::clone(&office.world.root.certificate)],
        vec![
            Arc::clone(&office.world.issuing.certificate),
            Arc::clone(&timing.certificate),
        ],
        vec![root, office.world.issuing.list(&[]), timing.list(&[])],
        Policy::default(),
        1,
    );
    let report = judge(&signature, &snapshot);
    assert!(report.time_stamps[0].is_passed());
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::RevokedCaNoPoe)
    );
}

/// A signature by somebody whose certificate ended on the last of May.
fn of_expired(office: &Office, time: Option<&str>) -> Vec<u8> {
    let issuing = &office.world.issuing;
    let leaf = issuing.changed_leaf("Expired", 150, &|params| {
        params.not_after = date_time_ymd(2026, 5, 31);
    });
    let parts = Parts::of_data(&leaf, CONTENT, &[]);
    match time {
        None => parts.encode(),
        Some(time) => {
            let token = office.token(&parts.value, time);
            parts.stamped(&token).encode()
        }
    }
}

#[test]
fn an_expired_signer_passes_with_a_proof_and_a_list_about_that_time() {
    let office = Office::new();
    let issuing = &office.world.issuing;
    let with = |list: Option<Arc<RevocationList>>| {
        let mut lists = office.lists(&[]);
        lists.extend(list);
        lists
    };
    let signature = of_expired(&office, Some(APRIL));
    // Made since, while the certificate lasted.
    let report = office.judge(&signature, with(Some(issuing.list_of(&[], (5, 25), (5, 28)))));
    assert_eq!(report.failure, None);
    assert_eq!(report.revocation.len(), 2);
    // Current then, but made before: whoever shows it may have chosen it, and policy must take that.
    let early = || with(Some(issuing.list_of(&[], (4, 1), (5, 1))));
    assert!(office.judge(&signature, early()).is_try_later());
    let lenient = Policy {
        may_status_precede_proof: true,
        ..Policy::default()
    };
    let world = &office.world;
    let anchors = vec![Arc::clone(&world.root.certificate)];
    let candidates = vec![Arc::clone(&world.issuing.certificate)];
    let snapshot = Snapshot::new(anchors, candidates, early(), lenient, 1);
    assert_eq!(judge(&signature, &snapshot).failure, None);
    // The list of June says nothing of a certificate that has ended; one that ended before tells nothing of April.
    for list in [None, Some(issuing.list_of(&[], (3, 1), (4, 1)))] {
        let report = office.judge(&signature, with(list));
        assert!(report.is_try_later(), "{:?}", report.failure);
        assert!(!report.needs.is_empty());
    }
    // Nothing proven, or proven too late.
    let list = || issuing.list_of(&[], (5, 25), (5, 28));
    for signature in [
        of_expired(&office, None),
        of_expired(&office, Some("20260602080000Z")),
    ] {
        let report = office.judge(&signature, with(Some(list())));
        assert_eq!(
            report.indication,
            Indication::Indeterminate(SubIndication::OutOfBoundsNoPoe)
        );
    }
}

#[test]
fn a_later_list_that_tells_of_an_earlier_revocation_is_heard() {
    let office = Office::new();
    let issuing = &office.world.issuing;
    let good_in_may = issuing.list_of(&[], (5, 22), (5, 31));
    let revoked = [(150, RevocationReason::KeyCompromise)];
    let told_in_june = issuing.list_of(&revoked, (6, 1), (7, 1));
    let lists = || vec![office.world.root.list(&[]), Arc::clone(&good_in_may)];
    let with = |list: Arc<RevocationList>| [lists(), vec![list]].concat();
    let clean = || issuing.list(&[]);
    let of_may = of_expired(&office, Some(MAY));
    assert!(office.judge(&of_may, with(clean())).is_passed());
    let report = office.judge(&of_may, with(Arc::clone(&told_in_june)));
    assert!(!report.is_passed());
    // Revoked in May: what is proven for April stays good.
    let of_april = of_expired(&office, Some(APRIL));
    let mut lists = with(told_in_june);
    lists.push(issuing.list_of(&[], (4, 1), (4, 30)));
    // The authority of the time-stamp needs a list that is fresh, and that of June is.
    assert_eq!(office.judge(&of_april, lists).failure, None);
}

#[test]
fn an_algorithm_that_has_ended_since_is_good_where_the_proof_is_older() {
    let world = World::new();
    let authority = world.issuing.time_stamper(200);
    let snapshot = |end: &str| {
        let policy = Policy {
            algorithms: AlgorithmPolicy {
                rsa_bits: vec![(2048, Limit::Until(time(end)))],
                ..Policy::default().algorithms
            },
            ..Policy::default()
        };
        let lists = vec![world.root.list(&[]), world.issuing.list(&[])];
        let candidates = vec![Arc::clone(&world.issuing.certificate)];
        Snapshot::new(
            vec![Arc::clone(&world.root.certificate)],
            candidates,
            lists,
            policy,
            1,
        )
    };
    let parts = || Parts::of_data(&world.person, CONTENT, &[]);
    let stamped = parts();
    let token = Stamp::over(&stamped.value, MAY).sign(&authority);
    let stamped = stamped.stamped(&token).encode();
    assert!(judge(&stamped, &snapshot("2026-05-21T00:00:00Z")).is_passed());
    for (signature, end) in [
        (&stamped, "2026-05-20T08:00:00Z"),
        (&parts().encode(), "2026-05-21T00:00:00Z"),
    ] {
        let report = judge(signature, &snapshot(end));
        assert!(matches!(
            report.failure,
            Some(Failure::AlgorithmRefused {
                certificate: None,
                ..
            })
        ));
    }
}

#[test]
fn a_signature_older_than_its_certificate_is_refused() {
    let office = Office::new();
    let issuing = &office.world.issuing;
    let leaf = issuing.changed_leaf("Late", 151, &|params| {
        params.not_before = date_time_ymd(2026, 5, 1);
    });
    let of = |time: &str| {
        let parts = Parts::of_data(&leaf, CONTENT, &[]);
        let token = office.token(&parts.value, time);
        office.judge(&parts.stamped(&token).encode(), office.lists(&[]))
    };
    assert!(of("20260430235959Z").is_passed(), "clocks may differ a little");
    assert_eq!(
        of(APRIL).indication,
        Indication::TotalFailed(SubIndication::NotYetValid)
    );
}

#[test]
fn time_stamps_of_the_content_are_judged_and_ordered() {
    let office = Office::new();
    let of = |content: &[u8], content_time: &str, signature_time: &str| {
        let token = office.token(content, content_time);
        let signed = attribute(&oid::ATTRIBUTE_CONTENT_TIME_STAMP, &token);
        let parts = Parts::of_data(&office.world.organisation, CONTENT, &[signed]);
        let token = office.token(&parts.value, signature_time);
        office.judge(&parts.stamped(&token).encode(), office.lists(&[]))
    };
    let report = of(CONTENT, APRIL, MAY);
    assert!(report.is_passed());
    assert_eq!(report.best_signature_time, time("2026-05-20T08:00:00Z"));
    let kinds: Vec<TimeStampKind> = report.time_stamps.iter().map(|stamp| stamp.kind).collect();
    assert_eq!(kinds, [TimeStampKind::Signature, TimeStampKind::Content]);
    // The content cannot have been stamped after the signature over that stamp.
    let report = of(CONTENT, MAY, APRIL);
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::TimestampOrderFailure)
    );
    assert!(of(CONTENT, "20260520080300Z", MAY).is_passed());
    let report = of(b"another content", MAY, APRIL);
    assert!(report.is_passed());
    assert_eq!(report.remarks, [Remark::TimeStampInvalid]);
}

#[test]
fn a_signing_time_later_than_the_proof_is_noted() {
    let office = Office::new();
    let of = |claimed: &str| {
        let value = write::time(time(claimed));
        let signed = attribute(&oid::ATTRIBUTE_SIGNING_TIME, &value);
        let parts = Parts::of_data(&office.world.organisation, CONTENT, &[signed]);
        let token = office.token(&parts.value, MAY);
        office.judge(&parts.stamped(&token).encode(), office.lists(&[]))
    };
    // As met: forty-three seconds later; and local time that is called UTC.
    let report = of("2026-05-20T08:00:43Z");
    assert!(report.is_passed() && report.remarks.is_empty());
    let report = of("2026-05-20T15:00:00Z");
    assert!(report.is_passed());
    assert_eq!(report.remarks, [Remark::SigningTimeContradicted]);
}

#[test]
fn counter_signatures_are_judged_and_change_nothing() {
    let office = Office::new();
    let world = &office.world;
    let made = |over: &[u8], by: &Leaf| {
        // It should have no type of content; one that is there is not looked at.
        let mut counter = Parts::sign(by, oid::CONTENT_DATA, over, &[]);
        counter.certificates.clear();
        counter
    };
    let with = |counter: &Parts, parts: Parts| {
        let mut parts = parts.with(&oid::ATTRIBUTE_COUNTER_SIGNATURE, &counter.signer_info());
        parts
            .certificates
            .push(office.authority.certificate.der().to_vec());
        parts.certificates.push(world.person.certificate.der().to_vec());
        office.judge(&parts.encode(), office.lists(&[]))
    };
    let parts = || Parts::of_data(&world.organisation, CONTENT, &[]);
    let good = parts();
    let counter = made(&good.value, &world.person);
    let report = with(&counter, good);
    assert!(report.is_passed());
    assert!(report.remarks.is_empty(), "{:?}", report.counter_signatures);
    assert_eq!(report.counter_signatures.len(), 1);
    assert_eq!(
        report.counter_signatures[0].signer.as_ref(),
        Some(&world.person.certificate)
    );
    let wrong = with(&made(b"another value", &world.person), parts());
    assert!(wrong.is_passed());
    assert_eq!(wrong.remarks, [Remark::CounterSignatureInvalid]);
    assert_eq!(wrong.counter_signatures[0].failure, Some(Failure::DigestMismatch));
}
