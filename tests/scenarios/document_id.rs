//! A document id is taken while an accepted, unrecalled document bears it, and free before and after.

use domain::{dispatch::DispatchKind, packet::BusinessType, refusal::RefusalCode};
use harness::province::{Plan, Province, Seals};

use super::evidence::{balance, prove, send, send_in_vain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_content_under_a_live_id_is_refused_until_the_document_is_recalled() {
    let province = Province::start(Plan::new(2)).await;
    let (office, addressee) = (province.agency(0), province.agency(1));
    let first = office.draft().to(addressee).text("Ban dau").letter();
    let other = office.draft().to(addressee).text("Ban khac").letter();
    let second = first.with_contents_of(&other);
    send(&province, 0, &first).await;
    province.take_document(1, &first).await;
    assert_eq!(
        send_in_vain(&province, 0, &second).await,
        [RefusalCode::DocumentIdTaken]
    );

    let recall = office.draft().to(addressee).recall_of(&first).letter();
    send(&province, 0, &recall).await;
    let recalled = province.take_document(1, &recall).await;
    assert_eq!(
        (recalled.about.kind, &recalled.bytes[..]),
        (DispatchKind::Packet, recall.bytes())
    );
    send(&province, 0, &recall.rebuilt()).await;

    send(&province, 0, &second).await;
    assert_eq!(province.take_document(1, &second).await.bytes, second.bytes());
    assert_eq!(
        send_in_vain(&province, 0, &first).await,
        [RefusalCode::DocumentIdTaken]
    );
    let audit = prove(&province, balance(4, 2)).await;
    assert_eq!(audit.packets, 3, "two documents and one recall: {audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_document_leaves_its_id_free() {
    let province = Province::start(Plan::new(1)).await;
    let (office, addressee) = (province.agency(0), province.agency(1));
    let broken = office.draft().to(addressee).seals(Seals::Broken).letter();
    let good = broken.with_contents_of(&office.draft().to(addressee).letter());
    let reasons = send_in_vain(&province, 0, &broken).await;
    assert!(!reasons.contains(&RefusalCode::DocumentIdTaken), "{reasons:?}");
    send(&province, 0, &good).await;
    assert_eq!(province.take_document(1, &good).await.bytes, good.bytes());
    let audit = prove(&province, balance(1, 1)).await;
    assert_eq!(audit.packets, 1, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recall_an_update_and_a_replacement_act_on_a_known_document_only() {
    let province = Province::start(Plan::new(2)).await;
    let (office, addressee) = (province.agency(0), province.agency(1));
    let never_sent = office.draft().to(addressee).letter();
    for draft in [
        office.draft().to(addressee).recall_of(&never_sent),
        office
            .draft()
            .to(addressee)
            .update_of(&never_sent, province.agency(2)),
        office.draft().to(addressee).replacement_of(&never_sent),
    ] {
        assert_eq!(
            send_in_vain(&province, 0, &draft.letter()).await,
            [RefusalCode::TargetUnknown]
        );
    }
    let letter = office.draft().to(addressee).letter();
    send(&province, 0, &letter).await;
    // A stranger's recall of it names nothing that the stranger ever sent.
    let foreign = province
        .agency(2)
        .draft()
        .to(addressee)
        .recall_of(&letter)
        .letter();
    assert_eq!(
        send_in_vain(&province, 2, &foreign).await,
        [RefusalCode::TargetUnknown]
    );
    province.take_document(1, &letter).await;
    let replacement = office.draft().to(addressee).replacement_of(&letter).letter();
    assert_eq!(replacement.packet().business.kind, BusinessType::Replace);
    send(&province, 0, &replacement).await;
    assert_eq!(
        province.take_document(1, &replacement).await.bytes,
        replacement.bytes()
    );
    let audit = prove(&province, balance(2, 4)).await;
    assert_eq!(audit.packets, 2, "{audit:?}");
    province.end().await;
}
