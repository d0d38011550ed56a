//! Time-stamps that wait for something to be fetched: who waits with them, and who does not.

use super::*;
use crate::testing::stamp::stamps;
use crate::testing::{IsCritical, issuer_access};

#[test]
fn a_token_that_waits_for_its_authority_makes_the_signature_wait() {
    let office = Office::new();
    let timing = office.world.root.authority("Timing", 3, as_is);
    let authority = timing.time_stamper(200);
    let parts = Parts::of_data(&office.world.organisation, CONTENT, &[]);
    let snapshot = |lists: Vec<Arc<RevocationList>>| {
        let candidates = vec![
            Arc::clone(&office.world.issuing.certificate),
            Arc::clone(&timing.certificate),
        ];
        let anchors = vec![Arc::clone(&office.world.root.certificate)];
        Snapshot::new(anchors, candidates, lists, Policy::default(), 1)
    };
    let token = Stamp::over(&parts.value, APRIL).sign(&authority);
    let signature = parts.stamped(&token).encode();
    let revoked = office.lists(&[(101, RevocationReason::KeyCompromise)]);
    let report = judge(&signature, &snapshot(revoked.clone()));
    assert!(report.is_try_later(), "{:?}", report.failure);
    assert_eq!(report.needs.len(), 1);
    assert_eq!(report.best_signature_time, now());
    // Nor does one wait that the token would not save.
    let late = Parts::of_data(&office.world.organisation, CONTENT, &[]);
    let token = Stamp::over(&late.value, MAY).sign(&authority);
    let report = judge(&late.stamped(&token).encode(), &snapshot(revoked.clone()));
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::RevokedNoPoe)
    );
    let answered = [revoked, vec![timing.list(&[])]].concat();
    assert!(judge(&signature, &snapshot(answered)).is_passed());
    // A signature that is good without the token does not wait for it.
    let report = judge(&signature, &snapshot(office.lists(&[])));
    assert!(report.is_passed());
    assert_eq!(report.remarks, [Remark::TimeStampInvalid]);
    assert!(report.needs.is_empty());
    assert_eq!(report.time_stamps[0].needs.len(), 1);
}

#[test]
fn a_signature_does_not_wait_for_a_token_that_would_contradict() {
    let office = Office::new();
    let timing = office.world.root.authority("Timing", 3, as_is);
    let authority = timing.time_stamper(200);
    let lists = office.lists(&[
        (101, RevocationReason::KeyCompromise),
        (151, RevocationReason::KeyCompromise),
    ]);
    let judged = |parts: Parts, time: &str| {
        let token = Stamp::over(&parts.value, time).sign(&authority);
        let candidates = [&office.world.issuing.certificate, &timing.certificate].map(Arc::clone);
        let anchors = vec![Arc::clone(&office.world.root.certificate)];
        let policy = Policy::default();
        let snapshot = Snapshot::new(anchors, candidates.to_vec(), lists.clone(), policy, 1);
        judge(&parts.stamped(&token).encode(), &snapshot)
    };
    // The content was stamped after this time, says one that passed.
    let content = |time: &str| {
        let token = office.token(CONTENT, time);
        let signed = attribute(&oid::ATTRIBUTE_CONTENT_TIME_STAMP, &token);
        Parts::of_data(&office.world.organisation, CONTENT, &[signed])
    };
    assert!(judged(content("20260419080000Z"), APRIL).is_try_later());
    let refused = Indication::Indeterminate(SubIndication::RevokedNoPoe);
    assert_eq!(judged(content("20260421080000Z"), APRIL).indication, refused);
    // The certificate is younger.
    let leaf = |month: u8| {
        office.world.issuing.changed_leaf("Late", 151, &|params| {
            params.not_before = date_time_ymd(2026, month, 22);
        })
    };
    assert!(judged(Parts::of_data(&leaf(3), CONTENT, &[]), APRIL).is_try_later());
    let young = judged(Parts::of_data(&leaf(4), CONTENT, &[]), APRIL);
    assert_eq!(young.indication, refused);
    assert!(young.needs.is_empty());
}

#[test]
fn a_token_whose_issuer_is_to_be_fetched_makes_the_signature_wait() {
    let office = Office::new();
    let timing = office.world.root.authority("Timing", 3, as_is);
    let stamper = |has_address: bool| {
        timing.changed_leaf("Time", 200, &|params| {
            stamps(params, &[&oid::PURPOSE_TIME_STAMPING], IsCritical::Yes);
            let address = issuer_access("http://ca.example/timing.crt");
            params.custom_extensions.extend(has_address.then_some(address));
        })
    };
    let judged = |authority: &Leaf| {
        let parts = Parts::of_data(&office.world.organisation, CONTENT, &[]);
        let token = Stamp::over(&parts.value, APRIL).sign(authority);
        let revoked = office.lists(&[(101, RevocationReason::KeyCompromise)]);
        office.judge(&parts.stamped(&token).encode(), revoked)
    };
    let report = judged(&stamper(true));
    assert!(report.is_try_later(), "{:?}", report.failure);
    assert!(matches!(report.needs[..], [crate::Need::Issuer { .. }]));
    // Nobody says where the issuer might be.
    assert_eq!(
        judged(&stamper(false)).indication,
        Indication::Indeterminate(SubIndication::RevokedNoPoe)
    );
}
