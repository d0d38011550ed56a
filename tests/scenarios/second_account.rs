//! An agency with several document systems: each hears what became of what it submitted.

use std::collections::BTreeSet;

use connector::Received;
use domain::{
    dispatch::DispatchKind,
    ids::{AccountId, SubmissionId},
    packet::{Limits, Packet, StatusCode},
    receipt::ReceiptKind,
    wire::{self, Confirmation, Stored},
};
use harness::{
    province::{GATEWAY_CODE, Letter, Plan, Province},
    wait_for, wait_until,
};
use jiff::Timestamp;
use lapin::{
    BasicProperties,
    message::BasicGetMessage,
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;
use trust::Time;

use super::{evidence::PATIENCE, software::Software};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_goes_to_the_document_system_that_submitted() {
    let province = Province::start(Plan::new(1).exclusive()).await;
    let office = province.agency(0);
    let second = second_system(&province).await;
    assert_ne!(second.account, office.account());

    let letter = office.draft().to(province.agency(1)).letter();
    let submission = SubmissionId::parse("he-thong-2").expect("an id");
    second.submit(&submission, letter.bytes()).await;
    let answer = wait_for("its answer lies in its own inbox", PATIENCE, async || {
        second.take().await
    })
    .await;
    let headers = answer.delivery.properties.headers().clone().unwrap_or_default();
    assert_eq!(
        text(&headers, wire::HEADER_RECEIPT),
        ReceiptKind::SubmissionAcceptance.word()
    );
    assert_eq!(text(&headers, wire::HEADER_SUBMISSION), submission.as_str());
    // The other system of the agency waits for nothing of the kind, and gets what is for the agency.
    assert!(office.connector().answer_of(&submission).is_none());
    province.take_document(1, &letter).await;
    let own = office.draft().to(province.agency(1)).letter();
    super::evidence::send(&province, 0, &own).await;
    province.take_document(1, &own).await;
    // What becomes of its document it hears, too; of the other one's it hears nothing.
    let handover = wait_for("it hears of the handover", PATIENCE, async || second.take().await).await;
    let headers = handover.delivery.properties.headers().clone().unwrap_or_default();
    assert_eq!(
        text(&headers, wire::HEADER_RECEIPT),
        ReceiptKind::ContentHandover.word()
    );
    super::evidence::receipts(&province, 0, 1, ReceiptKind::ContentHandover).await;
    // And what the addressee does with it.
    province.report(1, letter.bytes(), StatusCode::Accepted).await;
    let status = wait_for("it hears of the status", PATIENCE, async || second.take().await).await;
    let headers = status.delivery.properties.headers().clone().unwrap_or_default();
    assert_eq!(text(&headers, wire::HEADER_SENDER), province.agency(1).code());
    assert!(text(&headers, wire::HEADER_TRACE).starts_with(GATEWAY_CODE));
    assert!(matches!(
        Packet::open(&status.delivery.data, &Limits::default()),
        Ok(Packet::Status(status)) if status.status == StatusCode::Accepted
    ));
    assert!(
        second.take().await.is_none(),
        "the other one's answers are not its"
    );
    province.end().await;
}

/// Places in an inbox.
const WINDOW: usize = 3;
/// Letters whose answers nobody reads: with acceptance and handover many times as many as there are places.
const LETTERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_system_that_reads_no_answers_holds_up_no_other() {
    let plan = Plan::new(1).exclusive();
    let plan = plan
        .set("broker", "window", WINDOW)
        .set("broker", "window_urgent", 0);
    let province = Province::start(plan).await;
    let (office, other) = (province.agency(0), province.agency(1));
    let second = second_system(&province).await;
    let letter = |_| office.draft().to(other).letter();
    let letters: Vec<Letter> = (0..LETTERS).map(letter).collect();
    for (number, letter) in letters.iter().enumerate() {
        second.submit(&submission(number), letter.bytes()).await;
    }
    let is_packet = |received: &Received| received.about.kind == DispatchKind::Packet;
    province.take(1, (LETTERS, "letter"), is_packet).await;
    // More is due for it than its inbox holds, and what is for the agency comes all the same.
    let own = office.draft().to(other).letter();
    super::evidence::send(&province, 0, &own).await;
    province.take_document(1, &own).await;
    let to_office = other.draft().to(office).letter();
    super::evidence::send(&province, 1, &to_office).await;
    province.take_document(0, &to_office).await;

    let (mut accepted, mut handed_over) = (BTreeSet::new(), BTreeSet::new());
    let submissions: BTreeSet<String> = (0..LETTERS)
        .map(|number| submission(number).to_string())
        .collect();
    wait_until("every answer is read", PATIENCE, async || {
        while let Some(answer) = second.take().await {
            let headers = answer.delivery.properties.headers().clone().unwrap_or_default();
            let kind = text(&headers, wire::HEADER_RECEIPT);
            let is_new = if kind == ReceiptKind::SubmissionAcceptance.word() {
                accepted.insert(text(&headers, wire::HEADER_SUBMISSION))
            } else {
                assert_eq!(kind, ReceiptKind::ContentHandover.word());
                handed_over.insert(text(&headers, wire::HEADER_CASE))
            };
            assert!(is_new, "an answer came twice");
            confirm(&second, &answer).await;
        }
        accepted == submissions && handed_over.len() == LETTERS
    })
    .await;
    province.end().await;
}

fn submission(number: usize) -> SubmissionId {
    SubmissionId::parse(&format!("he-thong-2-{number}")).expect("an id")
}

/// Confirms that a delivery is stored: its place in the window is free then.
async fn confirm(software: &Software, answer: &BasicGetMessage) {
    let dispatch = answer.delivery.properties.message_id().clone();
    let dispatch = dispatch.expect("a message has an id").to_string();
    let stored = Stored {
        dispatch: dispatch.parse().expect("a dispatch id"),
        at: Time::from_micros(Timestamp::now().as_microsecond()),
    };
    let account = AccountId::parse(&software.account).expect("an account id");
    let properties = BasicProperties::default()
        .with_user_id(software.account.as_str().into())
        .with_type(wire::TYPE_CONFIRMATION.into())
        .with_delivery_mode(2);
    let body = Confirmation { stored: vec![stored] }.encode();
    let (exchange, key) = (wire::SUBMIT_EXCHANGE, wire::confirm_key(&account));
    let taken = software.publish((exchange, &key), properties, &body).await;
    assert!(matches!(taken, Ok(lapin::Confirmation::Ack(None))), "{taken:?}");
}

/// Opens a second account of the province office and logs in to it.
async fn second_system(province: &Province) -> Software {
    let office = province.agency(0);
    let open = ["agency", "account", "open", office.id(), "--json"];
    let report = province.gateway.command(&open).await;
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let opened = |key: &str| report["opened"][0][key].as_str().expect("a text").to_owned();
    Software::log_in_as(province, &opened("account"), &opened("password")).await
}

fn text(headers: &FieldTable, name: &str) -> String {
    match headers.inner().get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        other => panic!("{name} is {other:?}"),
    }
}
