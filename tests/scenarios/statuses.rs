//! Business statuses flow back to the sender, checked against the case.

use connector::{
    now,
    report::{StatusReport, Subject, status_packet},
};
use domain::{dispatch::Rank, ids::SubmissionId, packet::StatusCode, refusal::RefusalCode};
use harness::province::{Letter, Plan, Province};

use super::evidence::{accepted, balance, codes, prove, refused, send, status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statuses_of_addressees_reach_the_sender_in_their_own_words() {
    let province = Province::start(Plan::new(2)).await;
    let letter = province
        .agency(0)
        .draft()
        .to(province.agency(1))
        .to(province.agency(2))
        .letter();
    send(&province, 0, &letter).await;
    for place in [1, 2] {
        province.take_document(place, &letter).await;
        // A late lower status (01 after 03) is history and kept.
        for code in [
            StatusCode::Accepted,
            StatusCode::Arrived,
            StatusCode::Assigned,
            StatusCode::Completed,
        ] {
            let submission = province.report(place, letter.bytes(), code).await;
            accepted(&province, place, &submission).await;
            let (_, told, from) = status(&province, 0).await;
            assert_eq!((told, from.as_str()), (code, province.agency(place).code()));
        }
    }
    let audit = prove(&province, balance(9, 0)).await;
    assert_eq!((audit.packets, audit.statuses), (2, 8), "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_of_a_stranger_a_contradiction_and_an_unknown_document_are_refused() {
    let province = Province::start(Plan::new(3)).await;
    let letter = province
        .agency(0)
        .draft()
        .to(province.agency(1))
        .to(province.agency(2))
        .letter();
    send(&province, 0, &letter).await;

    let stranger = province.report(3, letter.bytes(), StatusCode::Accepted).await;
    let reasons = codes(&refused(&province, 3, &stranger).await);
    assert_eq!(reasons, [RefusalCode::StatusNotAddressee]);

    let unknown = province.agency(0).draft().to(province.agency(1)).letter();
    let submission = province.report(1, unknown.bytes(), StatusCode::Accepted).await;
    let reasons = codes(&refused(&province, 1, &submission).await);
    assert_eq!(reasons, [RefusalCode::StatusCaseUnknown]);

    let submission = province.report(1, letter.bytes(), StatusCode::Refused).await;
    accepted(&province, 1, &submission).await;
    for code in [StatusCode::Accepted, StatusCode::Completed] {
        let submission = province.report(1, letter.bytes(), code).await;
        let receipt = refused(&province, 1, &submission).await;
        assert_eq!(codes(&receipt), [RefusalCode::StatusContradiction]);
        let values = &receipt.reasons[0].values;
        assert!(
            values.contains(&("before".to_owned(), "02".to_owned())),
            "{values:?}"
        );
    }
    // What one addressee refused, another one may take.
    let submission = province.report(2, letter.bytes(), StatusCode::Accepted).await;
    accepted(&province, 2, &submission).await;
    let audit = prove(&province, balance(3, 4)).await;
    assert_eq!((audit.packets, audit.statuses), (2, 2), "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_asks_for_return_and_hears_the_answer() {
    let province = Province::start(Plan::new(2)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    send(&province, 0, &letter).await;
    province.take_document(1, &letter).await;

    let bytes = status_of(&province, 0, &letter, (1, StatusCode::ReturnRequested));
    let asked = province.submit_bytes(0, bytes.clone(), Rank::Normal).await;
    accepted(&province, 0, &asked).await;
    let (told, code, from) = status(&province, 1).await;
    assert_eq!(
        (told, code, from.as_str()),
        (
            bytes.clone(),
            StatusCode::ReturnRequested,
            province.agency(0).code()
        )
    );

    // The same bytes again are the same status: answered, and not delivered a second time.
    let again = province.submit_bytes(0, bytes, Rank::Normal).await;
    accepted(&province, 0, &again).await;

    let agreed = province
        .report(1, letter.bytes(), StatusCode::ChangeAccepted)
        .await;
    accepted(&province, 1, &agreed).await;
    assert_eq!(status(&province, 0).await.1, StatusCode::ChangeAccepted);

    // Nobody but the sender asks for return, and nobody who was not addressed is asked.
    let bytes = status_of(&province, 1, &letter, (0, StatusCode::ReturnRequested));
    let foreign = province.submit_bytes(1, bytes, Rank::Normal).await;
    assert_eq!(
        refusal(&province, 1, &foreign).await,
        RefusalCode::StatusCaseUnknown
    );
    let bytes = status_of(&province, 0, &letter, (2, StatusCode::ReturnRequested));
    let aside = province.submit_bytes(0, bytes, Rank::Normal).await;
    assert_eq!(
        refusal(&province, 0, &aside).await,
        RefusalCode::StatusNotAddressee
    );
    let audit = prove(&province, balance(4, 2)).await;
    assert_eq!((audit.packets, audit.statuses), (1, 2), "{audit:?}");
    province.end().await;
}

/// A status packet of one agency about a letter, for another one.
fn status_of(province: &Province, from: usize, letter: &Letter, (to, code): (usize, StatusCode)) -> Vec<u8> {
    let agency = province
        .agency(from)
        .settings()
        .agency
        .expect("written into every configuration");
    let subject = Subject {
        organ_id: province.agency(to).code().to_owned(),
        ..Subject::of(letter.packet())
    };
    let report = StatusReport {
        code,
        note: None,
        staff: None,
        at: now(),
    };
    status_packet(&agency, &subject, &report).expect("plain texts")
}

async fn refusal(province: &Province, place: usize, submission: &SubmissionId) -> RefusalCode {
    let reasons = codes(&refused(province, place, submission).await);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons[0]
}

/// Document software builds its XML anew on every retry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_that_was_built_again_is_answered_the_same_and_forwarded_once() {
    let province = Province::start(Plan::new(1)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    send(&province, 0, &letter).await;
    province.take_document(1, &letter).await;
    let settings = province.agency(1).settings();
    let agency = settings.agency.expect("written into every configuration");
    let report = StatusReport {
        code: StatusCode::Accepted,
        note: Some("Thử nghiệm".to_owned()),
        staff: None,
        at: now(),
    };
    let first = status_packet(&agency, &Subject::of(letter.packet()), &report).expect("plain texts");
    let text = String::from_utf8(first.clone()).expect("packets are written in UTF-8");
    let rebuilt = text.replace(">\n", ">\r\n  ").into_bytes();
    assert_ne!(first, rebuilt);
    let submission = province.submit_bytes(1, first, Rank::Normal).await;
    let answer = accepted(&province, 1, &submission).await;
    let retry = province.submit_bytes(1, rebuilt, Rank::Normal).await;
    assert_eq!(accepted(&province, 1, &retry).await, answer);
    let audit = prove(&province, balance(3, 0)).await;
    assert_eq!((audit.packets, audit.statuses), (1, 1), "{audit:?}");
    province.end().await;
}
