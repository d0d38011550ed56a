//! The same document again: answered the same, delivered once; further addressees get it alone.

use connector::Received;
use domain::{
    dispatch::{DispatchKind, Rank},
    ids::SubmissionId,
    receipt::{Receipt, ReceiptKind},
    refusal::RefusalCode,
};
use harness::province::{Plan, Province};

use super::{
    evidence::{PATIENCE, accepted, balance, codes, opened, prove, send, send_in_vain},
    software::Software,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuilt_retry_is_answered_with_the_same_receipt_and_delivered_once() {
    let province = Province::start(Plan::new(2)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let rebuilt = letter.rebuilt();
    assert_ne!(letter.bytes(), rebuilt.bytes());
    let mut answers = Vec::new();
    for version in [&letter, &rebuilt, &letter] {
        let submission = province.submit(0, version).await;
        accepted(&province, 0, &submission).await;
        let connector = province.agency(0).connector();
        let answer = connector.answer_of(&submission).expect("it was answered");
        answers.push(connector.receipt_bytes(&answer).expect("it is kept"));
    }
    assert_eq!(
        answers[0], answers[1],
        "the receipt of the first submission, byte for byte"
    );
    assert_eq!(answers[0], answers[2]);
    let audit = prove(&province, balance(3, 0)).await;
    assert_eq!(audit.packets, 1, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_of_a_refused_document_is_judged_anew() {
    let province = Province::start(Plan::new(1)).await;
    let letter = province.agency(0).draft().to_code("000.99.99.H53").letter();
    assert_eq!(
        send_in_vain(&province, 0, &letter).await,
        [RefusalCode::AddresseeUnknown]
    );
    assert_eq!(
        send_in_vain(&province, 0, &letter.rebuilt()).await,
        [RefusalCode::AddresseeUnknown]
    );
    send(&province, 0, &letter.also_to(province.agency(1))).await;
    let audit = prove(&province, balance(1, 2)).await;
    assert_eq!(audit.packets, 1, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn further_addressees_get_a_repeated_document_alone() {
    let province = Province::start(Plan::new(3)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    send(&province, 0, &letter).await;
    province.take_document(1, &letter).await;

    let further = letter.also_to(province.agency(2)).also_to(province.agency(3));
    let receipt = send(&province, 0, &further).await;
    let told: Vec<&str> = receipt.addressees.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(
        told,
        [province.agency(2).code(), province.agency(3).code()],
        "only the further ones"
    );
    for place in [2, 3] {
        assert_eq!(
            province.take_document(place, &letter).await.bytes,
            further.bytes()
        );
    }
    let again = send(&province, 0, &further.rebuilt()).await;
    assert_eq!(
        again.packet,
        Some(further.packet_digest()),
        "a repeat has the answer that named these addressees first"
    );
    let audit = prove(&province, balance(3, 0)).await;
    assert_eq!(audit.packets, 3, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_id_stands_for_one_packet() {
    let province = Province::start(Plan::new(1)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let other = province.agency(0).draft().to(province.agency(1)).letter();
    let submission = SubmissionId::parse("so-cong-van-1").expect("an id");
    let software = Software::log_in(&province, province.agency(0)).await;
    province
        .ledger
        .sent(&software.account, &submission, letter.bytes());
    software.submit(&submission, letter.bytes()).await;
    assert_eq!(
        answer(&province, &submission).await.kind,
        ReceiptKind::SubmissionAcceptance
    );
    let events = province.books().events.len();

    // Again with the same bytes: an answer was given. The letter behind it in the same intake shows that it was seen.
    software.submit(&submission, letter.bytes()).await;
    let behind = SubmissionId::parse("so-cong-van-2").expect("an id");
    province.ledger.sent(&software.account, &behind, other.bytes());
    software.submit(&behind, other.bytes()).await;
    assert_eq!(
        answer(&province, &behind).await.kind,
        ReceiptKind::SubmissionAcceptance
    );
    let about_first = province
        .books()
        .events
        .into_iter()
        .skip(events)
        .filter(|recorded| {
            let submission_of = recorded.event.happening.submission();
            submission_of.is_some_and(|known| known.id == submission)
        });
    assert_eq!(about_first.count(), 0, "nothing was added");

    software.submit(&submission, other.bytes()).await;
    let rejection = answer(&province, &submission).await;
    assert_eq!(codes(&rejection), [RefusalCode::SubmissionIdReused]);
    assert_eq!(rejection.packet, Some(other.packet_digest()));
    // And the id still stands for its first packet.
    software.submit(&submission, letter.bytes()).await;
    let last = province.agency(0).draft().to(province.agency(1)).letter();
    send(&province, 0, &last).await;
    let audit = province.settle(PATIENCE).await;
    audit.assert_clean();
    assert_eq!(
        (audit.packets, province.books().count("refused")),
        (3, 1),
        "{audit:?}"
    );
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_twins_are_delivered_once() {
    let province = Province::start(Plan::new(1)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let twins: Vec<_> = std::iter::successors(Some(letter.clone()), |twin| Some(twin.rebuilt()))
        .take(20)
        .collect();
    let urgent = |number: usize| {
        if number.is_multiple_of(2) {
            Rank::Urgent
        } else {
            Rank::Normal
        }
    };
    let mut submissions = Vec::new();
    for (number, twin) in twins.iter().enumerate() {
        // The rank here is only the queue that the software chose: twins come through both at once.
        submissions.push(
            province
                .submit_bytes(0, twin.bytes().to_vec(), urgent(number))
                .await,
        );
    }
    let mut leaves = Vec::new();
    for submission in &submissions {
        leaves.push(accepted(&province, 0, submission).await.leaf);
    }
    leaves.dedup();
    assert_eq!(leaves.len(), 1, "all have one answer");
    let audit = prove(&province, balance(20, 0)).await;
    assert_eq!(audit.packets, 1, "{audit:?}");
    province.end().await;
}

/// The next receipt at the office that answers this submission. It was not the connector that submitted.
async fn answer(province: &Province, submission: &SubmissionId) -> Receipt {
    let is_it = |received: &Received| {
        let about = &received.about;
        about.kind == DispatchKind::Receipt
            && about.submission.as_ref() == Some(submission)
            && about.receipt.is_some_and(ReceiptKind::is_final_answer)
    };
    let taken = province.take(0, (1, "answer"), is_it).await;
    opened(province, 0, &taken[0])
}

/// A connector that lost a receipt (a damaged record, a restored copy) sends the packet again under its id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_its_connector_lost_is_given_again() {
    let province = Province::start(Plan::new(1)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let id = province.submit(0, &letter).await;
    let first = accepted(&province, 0, &id).await;
    // Nothing of it is on its way any more.
    province.settle(PATIENCE).await.assert_clean();
    let connector = province.agency(0).connector();
    connector.ask_again(&id);
    assert!(connector.answer_of(&id).is_none(), "forgotten");
    let again = connector::Submission {
        bytes: letter.bytes().to_vec(),
        rank: letter.rank(),
    };
    connector.submit_as(id.clone(), again).await.expect("taken");
    assert_eq!(accepted(&province, 0, &id).await, first);
    let audit = province.settle(PATIENCE).await;
    audit.assert_clean();
    assert_eq!(audit.packets, 1, "the document went once: {audit:?}");
    province.end().await;
}
