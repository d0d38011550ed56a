//! Time limits of delivery: told to the sender, and corrected when the addressee comes after all.

use domain::{dispatch::DispatchState, event::Happening, receipt::ReceiptKind};
use harness::{
    province::{Plan, Province},
    wait_until,
};

use super::evidence::{PATIENCE, balance, prove, receipts, send};

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

/// An agency that is abolished without a successor: what is on its way to it fails, and what it is owed is given up; the
/// books have no open end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_for_an_agency_closed_without_successor_is_given_up_and_told() {
    let plan = Plan::new(2).exclusive();
    let mut province = Province::start(plan.set("exchange", "sweep_seconds", 1)).await;
    province.agency_mut(1).close().await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let acceptance = send(&province, 0, &letter).await;
    // It submits something, and is gone before the answer comes.
    province.agency_mut(1).open().await;
    let last = province.agency(1).draft().to(province.agency(2)).letter();
    province.take_document(1, &letter).await;
    province.gateway.terminate().await;
    province.submit(1, &last).await;
    wait_until("it left the outbox", PATIENCE, async || {
        province.agency(1).connector().counters().published == 1
    })
    .await;
    province.agency_mut(1).close().await;
    province.gateway.start_again().await;
    let second = province.agency(0).draft().to(province.agency(1)).letter();
    let on_its_way = send(&province, 0, &second).await;
    assert_ne!(on_its_way.case, acceptance.case);
    wait_until("it lies in the inbox", PATIENCE, async || {
        let books = province.books();
        let mut all = books.dispatches.values();
        all.any(|sent| sent.dispatch.case == on_its_way.case && sent.state == DispatchState::Consigned)
    })
    .await;
    province
        .gateway
        .command(&["agency", "close", province.agency(1).code()])
        .await;
    let failure = receipts(&province, 0, 1, ReceiptKind::ContentHandoverFailure)
        .await
        .remove(0);
    assert_eq!(failure.case, on_its_way.case);
    assert_eq!(failure.remarks[0].about, "addressee-closed");
    wait_until("nothing is due or in an inbox", PATIENCE, async || {
        province.collect().await;
        let books = province.books();
        books.dispatches.values().all(|sent| sent.state.is_settled())
    })
    .await;
    let audit = prove(&province, balance(3, 0)).await;
    assert_eq!(audit.packets, 2, "{audit:?}");
    province.end().await;
}

fn addressee(results: &[domain::receipt::AddresseeResult]) -> (String, String) {
    assert_eq!(results.len(), 1, "{results:?}");
    (results[0].code.clone(), results[0].result.clone())
}
