//! Time limits of delivery: told to the sender, and corrected when the addressee comes after all.

use domain::{event::Happening, receipt::ReceiptKind};
use harness::province::{Plan, Province};

use super::evidence::{balance, prove, receipts, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_dispatch_is_told_as_failed_and_a_later_handover_corrects_it() {
    let plan = Plan::new(2).set("exchange", "delivery_limit_seconds", 12);
    let mut province = Province::start(plan.set("exchange", "consignment_notice_seconds", 1)).await;
    province.agency_mut(1).close().await;
    let letter = province
        .agency(0)
        .draft()
        .to(province.agency(1))
        .to(province.agency(2))
        .letter();
    let acceptance = send(&province, 0, &letter).await;

    let notice = receipts(&province, 0, 1, ReceiptKind::ContentConsignment)
        .await
        .remove(0);
    assert_eq!(notice.case, acceptance.case);
    assert_eq!(
        addressee(&notice.addressees),
        (province.agency(1).code().to_owned(), "consigned".to_owned())
    );
    // A restart forgets nothing: the notice is given once.
    province.gateway.terminate().await;
    province.gateway.start_again().await;

    let failure = receipts(&province, 0, 1, ReceiptKind::ContentHandoverFailure)
        .await
        .remove(0);
    assert_eq!(
        (failure.case, failure.dispatch),
        (acceptance.case, notice.dispatch)
    );
    assert_eq!(
        addressee(&failure.addressees),
        (province.agency(1).code().to_owned(), "failed".to_owned())
    );

    province.agency_mut(1).open().await;
    assert_eq!(province.take_document(1, &letter).await.bytes, letter.bytes());
    let correction = receipts(&province, 0, 1, ReceiptKind::ContentHandover)
        .await
        .remove(0);
    assert_eq!(
        (correction.case, correction.dispatch),
        (acceptance.case, notice.dispatch)
    );

    let audit = prove(&province, balance(1, 0)).await;
    assert_eq!(audit.packets, 2, "{audit:?}");
    let books = province.books();
    let of_dispatch = |happening: &Happening| {
        let consigned = matches!(happening, Happening::Consigned(it) if Some(it.dispatch) == notice.dispatch);
        let handed_over =
            matches!(happening, Happening::HandedOver(it) if Some(it.dispatch) == notice.dispatch);
        let failed = matches!(happening, Happening::Failed(it) if Some(it.dispatch) == notice.dispatch);
        consigned || handed_over || failed
    };
    let history: Vec<&str> = books
        .events
        .iter()
        .filter(|recorded| of_dispatch(&recorded.event.happening))
        .map(|recorded| recorded.event.happening.word())
        .collect();
    assert_eq!(history, ["consigned", "failed", "handed-over"]);
    let notices = books.events.iter().filter(|recorded| {
        matches!(&recorded.event.happening, Happening::ReceiptIssued(it) if it.kind == ReceiptKind::ContentConsignment)
    });
    assert_eq!(notices.count(), 1, "told once");
    province.end().await;
}

fn addressee(results: &[domain::receipt::AddresseeResult]) -> (String, String) {
    assert_eq!(results.len(), 1, "{results:?}");
    (results[0].code.clone(), results[0].result.clone())
}
