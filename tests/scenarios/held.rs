//! Unknown revocation is not now: the document waits, goes on by itself, or is returned at the limit.

use domain::{receipt::ReceiptKind, refusal::RefusalCode};
use harness::{
    province::{Balance, Letter, Plan, Province, Seals},
    wait_until,
};

use super::evidence::{PATIENCE, accepted, balance, codes, prove, refused, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_whose_revocation_is_unknown_waits_and_goes_on_by_itself() {
    let province = Province::start(Plan::new(1).set("trust", "need_wait_milliseconds", 200)).await;
    province.authorities.break_remote_list();
    let (office, addressee) = (province.agency(0), province.agency(1));
    let letter = office.draft().to(addressee).seals(Seals::Remote).letter();
    let submission = province.submit(0, &letter).await;
    let notice = province.first_answer(0, &submission).await;
    assert_eq!(notice.kind, ReceiptKind::SubmissionHeld, "{notice:?}");
    let waits: Vec<&str> = notice.remarks.iter().map(|remark| remark.code.as_str()).collect();
    assert_eq!(waits, ["revocation-unknown"]);

    // Others go on. A retry of what waits, which might name further addressees, waits beside it.
    send(&province, 0, &office.draft().to(addressee).letter()).await;
    let rebuilt = letter.rebuilt();
    let retry = province.submit(0, &rebuilt).await;
    assert_eq!(
        province.first_answer(0, &retry).await.kind,
        ReceiptKind::SubmissionHeld
    );
    assert_eq!(province.books().balance().held, 2);

    province.authorities.mend_remote_list();
    let receipt = accepted(&province, 0, &submission).await;
    let answer = accepted(&province, 0, &retry).await;
    assert_eq!(answer, receipt, "both have one answer");
    let delivered = province.take_document(1, &letter).await.bytes;
    assert!(
        delivered == letter.bytes() || delivered == rebuilt.bytes(),
        "one of both, unchanged"
    );
    let audit = prove(&province, balance(3, 0)).await;
    assert_eq!(audit.packets, 2, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_whose_issuer_is_not_at_hand_waits_until_it_can_be_fetched() {
    let province = Province::start(Plan::new(1).set("trust", "need_wait_milliseconds", 200)).await;
    province.authorities.break_remote_certificate();
    let letter = draft_alone(&province);
    let submission = province.submit(0, &letter).await;
    let notice = province.first_answer(0, &submission).await;
    assert_eq!(notice.kind, ReceiptKind::SubmissionHeld, "{notice:?}");
    let waits: Vec<&str> = notice.remarks.iter().map(|remark| remark.code.as_str()).collect();
    assert_eq!(waits, ["issuer-unknown"]);
    province.authorities.mend_remote_certificate();
    accepted(&province, 0, &submission).await;
    assert_eq!(province.take_document(1, &letter).await.bytes, letter.bytes());
    // The next one finds it there.
    send(&province, 0, &draft_alone(&province)).await;
    prove(&province, balance(2, 0)).await;
    province.end().await;
}

fn draft_alone(province: &Province) -> Letter {
    let draft = province.agency(0).draft().to(province.agency(1));
    draft.seals(Seals::Unaccompanied).letter()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_settled_within_the_limit_is_returned_with_the_reason() {
    let plan = Plan::new(1).set("trust", "need_wait_milliseconds", 200);
    let province = Province::start(plan.set("exchange", "hold_limit_seconds", 2)).await;
    province.authorities.break_remote_list();
    let draft = province.agency(0).draft().to(province.agency(1));
    let letter = draft.seals(Seals::Remote).letter();
    let submission = province.submit(0, &letter).await;
    assert_eq!(
        province.first_answer(0, &submission).await.kind,
        ReceiptKind::SubmissionHeld
    );
    let receipt = refused(&province, 0, &submission).await;
    assert_eq!(codes(&receipt), [RefusalCode::HeldTooLong]);
    let values = &receipt.reasons[0].values;
    assert!(
        values.contains(&("reason".to_owned(), "revocation-unknown".to_owned())),
        "{values:?}"
    );
    let audit = prove(&province, balance(0, 1)).await;
    assert_eq!(audit.packets, 0, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_still_waits_after_a_restart_and_reserves_its_id() {
    let mut province = Province::start(Plan::new(1).set("trust", "need_wait_milliseconds", 200)).await;
    province.authorities.break_remote_list();
    let (office, addressee) = (province.agency(0), province.agency(1));
    let letter = office.draft().to(addressee).seals(Seals::Remote).letter();
    let other = letter.with_contents_of(&office.draft().to(addressee).letter());
    let submission = province.submit(0, &letter).await;
    assert_eq!(
        province.first_answer(0, &submission).await.kind,
        ReceiptKind::SubmissionHeld
    );
    province.gateway.terminate().await;
    province.gateway.start_again().await;
    wait_until("the held submission is counted", PATIENCE, async || {
        province.gateway.metric("gateway_held_submissions").await > 0.5
    })
    .await;
    let rival = province.submit(0, &other).await;
    assert_eq!(
        codes(&refused(&province, 0, &rival).await),
        [RefusalCode::DocumentIdTaken]
    );
    province.authorities.mend_remote_list();
    accepted(&province, 0, &submission).await;
    assert_eq!(province.take_document(1, &letter).await.bytes, letter.bytes());
    let expected = Balance {
        held: 0,
        ..balance(1, 1)
    };
    prove(&province, expected).await;
    province.end().await;
}
