//! Signatures that bind no certificate: another one of the same key may take its place after the time-stamp.

use super::*;

/// A signature that names no certificate among what is signed.
fn unbound(signer: &Leaf) -> Parts {
    Parts::sign(signer, oid::CONTENT_DATA, CONTENT, &[])
}

#[test]
fn a_token_over_the_value_alone_proves_nothing_of_a_certificate_that_is_not_bound() {
    let office = Office::new();
    let signer = &office.world.organisation;
    let judged = |parts: Parts, revoked: &[(u64, RevocationReason)]| {
        let token = office.token(&parts.value, APRIL);
        office.judge(&parts.stamped(&token).encode(), office.lists(revoked))
    };
    let revoked = [(101, RevocationReason::KeyCompromise)];
    assert!(judged(Parts::of_data(signer, CONTENT, &[]), &revoked).is_passed());
    let report = judged(unbound(signer), &revoked);
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::RevokedNoPoe)
    );
    assert!(report.time_stamps[0].is_passed());
    assert_eq!(report.best_signature_time, now());
    assert_eq!(report.remarks, [Remark::SigningCertificateAbsent]);
    // What is good now needs no proof.
    let report = judged(unbound(signer), &[]);
    assert!(report.is_passed());
    assert_eq!(report.best_signature_time, now());
}

#[test]
fn a_certificate_of_the_same_key_does_not_take_the_place_of_another_one_in_the_past() {
    let office = Office::new();
    let issuing = &office.world.issuing;
    // The key was revoked with the first certificate on the first of May. The second has other names, and ended since.
    let first = &office.world.person;
    let second = issuing.changed_rsa_leaf("Other", 160, &|params| {
        params.not_after = date_time_ymd(2026, 5, 31);
    });
    let lists = [
        office.lists(&[(100, RevocationReason::KeyCompromise)]),
        vec![issuing.list_of(&[], (5, 25), (5, 28))],
    ]
    .concat();
    let swapped = |mut parts: Parts| {
        let token = office.token(&parts.value, MAY);
        let place = unbound(&second);
        (parts.certificates, parts.fields[1]) = (place.certificates, place.fields[1].clone());
        office.judge(&parts.stamped(&token).encode(), lists.clone())
    };
    let report = swapped(unbound(first));
    assert_eq!(report.signer.as_ref(), Some(&second.certificate));
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::OutOfBoundsNoPoe)
    );
    let report = swapped(Parts::of_data(first, CONTENT, &[]));
    assert_eq!(report.failure, Some(Failure::SigningCertificateMismatch));
    // Whose certificate is bound keeps what is proven.
    assert!(swapped(Parts::of_data(&second, CONTENT, &[])).is_passed());
}

#[test]
fn a_signature_does_not_wait_for_what_would_prove_nothing_of_it() {
    let office = Office::new();
    let timing = office.world.root.authority("Timing", 3, as_is);
    let authority = timing.time_stamper(200);
    let judged = |parts: Parts| {
        let token = Stamp::over(&parts.value, APRIL).sign(&authority);
        let candidates = [&office.world.issuing.certificate, &timing.certificate].map(Arc::clone);
        let anchors = vec![Arc::clone(&office.world.root.certificate)];
        let lists = office.lists(&[(101, RevocationReason::KeyCompromise)]);
        let snapshot = Snapshot::new(anchors, candidates.to_vec(), lists, Policy::default(), 1);
        judge(&parts.stamped(&token).encode(), &snapshot)
    };
    let signer = &office.world.organisation;
    assert!(judged(Parts::of_data(signer, CONTENT, &[])).is_try_later());
    let report = judged(unbound(signer));
    assert_eq!(
        report.indication,
        Indication::Indeterminate(SubIndication::RevokedNoPoe)
    );
    assert!(report.needs.is_empty());
}
