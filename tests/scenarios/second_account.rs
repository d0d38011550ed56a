//! An agency with several document systems: each hears what became of what it submitted.

use domain::{ids::SubmissionId, receipt::ReceiptKind, wire};
use harness::{
    province::{Plan, Province},
    wait_for,
};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;

use super::{evidence::PATIENCE, software::Software};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_goes_to_the_document_system_that_submitted() {
    let province = Province::start(Plan::new(1).exclusive()).await;
    let office = province.agency(0);
    let report = province
        .gateway
        .command(&["agency", "account", "open", office.id(), "--json"])
        .await;
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let opened = |key: &str| report["opened"][0][key].as_str().expect("a text").to_owned();
    let second = Software::log_in_as(&province, &opened("account"), &opened("password")).await;
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
    assert!(
        second.take().await.is_none(),
        "the other one's answers are not its"
    );
    province.end().await;
}

fn text(headers: &FieldTable, name: &str) -> String {
    match headers.inner().get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        other => panic!("{name} is {other:?}"),
    }
}
