//! Agencies are merged while documents are on their way to them and from them.

use connector::Received;
use domain::{dispatch::DispatchKind, packet::StatusCode, receipt::ReceiptKind, refusal::RefusalCode};
use harness::{
    province::{Letter, Plan, Province, Seals},
    wait_until,
};
use serde_json::Value;

use super::evidence::{PATIENCE, accepted, balance, prove, receipts, send, status};

/// Dispatches that lie in one inbox of the broker at most.
const WINDOW: usize = 8;
/// Letters to the agency that ends: more than the window.
const LETTERS: usize = 20;
const SENDER: usize = 1;
const ENDING: usize = 2;
const HEIR: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_heir_of_merged_agencies_receives_what_was_due_and_acts_in_their_place() {
    let plan = Plan::new(3).exclusive().set("broker", "window", WINDOW);
    let mut province = Province::start(plan.set("broker", "window_urgent", 2)).await;
    let (sender, ending) = (province.agency(SENDER), province.agency(ENDING));
    // What the ending agency sent, and received, in its own time.
    let sent_before = ending.draft().to(sender).letter();
    send(&province, ENDING, &sent_before).await;
    province.take_document(SENDER, &sent_before).await;
    let received_before = sender.draft().to(ending).letter();
    send(&province, SENDER, &received_before).await;
    province.take_document(ENDING, &received_before).await;
    wait_until("nothing is under way", PATIENCE, async || {
        province.collect().await;
        let books = province.books();
        let settled = books.dispatches.values().all(|sent| sent.state.is_settled());
        // An acceptance and a handover for each letter.
        settled && books.count("receipt-issued") == 4
    })
    .await;
    province.agency_mut(ENDING).close().await;

    let letters: Vec<Letter> = (0..LETTERS)
        .map(|_| {
            province
                .agency(SENDER)
                .draft()
                .to(province.agency(ENDING))
                .letter()
        })
        .collect();
    for id in province.submit_many(SENDER, &letters).await {
        accepted(&province, SENDER, &id).await;
    }
    wait_until("its inbox is full", PATIENCE, async || {
        consigned(&province) == WINDOW
    })
    .await;
    merge(&province).await;

    let is_packet = |received: &Received| received.about.kind == DispatchKind::Packet;
    let mut inherited = province
        .take(HEIR, (LETTERS, "inherited letters"), is_packet)
        .await;
    inherited.sort_by(|one, other| one.bytes.cmp(&other.bytes));
    let mut expected: Vec<&[u8]> = letters.iter().map(Letter::bytes).collect();
    expected.sort_unstable();
    assert_eq!(
        inherited.iter().map(|one| &one.bytes[..]).collect::<Vec<_>>(),
        expected
    );

    rights_of_the_heir(&province, &letters[0], &received_before, &sent_before).await;
    // The old code leads to the heir.
    let after = province
        .agency(SENDER)
        .draft()
        .to(province.agency(ENDING))
        .letter();
    send(&province, SENDER, &after).await;
    assert_eq!(province.take_document(HEIR, &after).await.bytes, after.bytes());
    let audit = prove(&province, balance(2 + LETTERS + 5 + 1, 0)).await;
    assert_eq!(audit.statuses, 3, "{audit:?}");
    assert_eq!(audit.packets, 2 + LETTERS + 1 + 2, "{audit:?}");
    province.end().await;
}

/// What lies unseen in the intake of an agency that ends meanwhile is still answered, to its heir.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agency_submitted_before_it_ended_is_answered_to_its_heir() {
    let mut province = Province::start(Plan::new(3).exclusive()).await;
    province.gateway.terminate().await;
    let letter = province
        .agency(ENDING)
        .draft()
        .to(province.agency(SENDER))
        .letter();
    let submission = province.submit(ENDING, &letter).await;
    wait_until("the broker has it", PATIENCE, async || {
        province.agency(ENDING).connector().counters().published == 1
    })
    .await;
    province.agency_mut(ENDING).close().await;
    merge_into_heir(&province).await;
    province.gateway.start_again().await;
    let is_answer = |received: &Received| received.about.submission.as_ref() == Some(&submission);
    let answer = province.take(HEIR, (1, "answer"), is_answer).await.remove(0);
    let receipt = super::evidence::opened(&province, HEIR, &answer);
    assert_eq!(receipt.kind, ReceiptKind::SubmissionRejection);
    assert_eq!(super::evidence::codes(&receipt), [RefusalCode::SenderInactive]);
    prove(&province, balance(0, 1)).await;
    province.end().await;
}

/// Whether the heir had it before the merger or was away: a document for both, and its recall, reach it once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_addressed_to_both_reaches_the_heir_once() {
    let mut province = Province::start(Plan::new(3).exclusive()).await;
    let to_both = |province: &Province| {
        let draft = province.agency(SENDER).draft().to(province.agency(ENDING));
        draft.to(province.agency(HEIR)).letter()
    };
    province.agency_mut(ENDING).close().await;
    let had = to_both(&province);
    send(&province, SENDER, &had).await;
    province.take_document(HEIR, &had).await;
    let recalled_before = to_both(&province);
    send(&province, SENDER, &recalled_before).await;
    province.take_document(HEIR, &recalled_before).await;
    province.agency_mut(HEIR).close().await;
    let early_recall = province
        .agency(SENDER)
        .draft()
        .recall_of(&recalled_before)
        .letter();
    send(&province, SENDER, &early_recall).await;
    let waiting = to_both(&province);
    send(&province, SENDER, &waiting).await;

    merge_into_heir(&province).await;
    province.agency_mut(HEIR).open().await;
    for letter in [&early_recall, &waiting] {
        assert_eq!(province.take_document(HEIR, letter).await.bytes, letter.bytes());
    }
    let recall = province.agency(SENDER).draft().recall_of(&had).letter();
    send(&province, SENDER, &recall).await;
    province.take_document(HEIR, &recall).await;

    // The sender has evidence for each addressee that it named; the last recall was for the heir alone.
    let handed_over = receipts(&province, SENDER, 9, ReceiptKind::ContentHandover).await;
    let ending = province.agency(ENDING).code();
    let for_ending = handed_over
        .iter()
        .filter(|receipt| receipt.addressees[0].code == ending);
    assert_eq!(for_ending.count(), 4, "{handed_over:?}");
    let audit = prove(&province, balance(5, 0)).await;
    assert_eq!(audit.packets, 5, "one of each: {audit:?}");
    province.end().await;
}

/// A dispatch whose time is over still lies in the inbox: its twin, and a retry, wait for it or go under its id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_twin_that_expired_in_the_heirs_inbox_is_not_doubled() {
    let plan = Plan::new(3)
        .exclusive()
        .set("exchange", "delivery_limit_seconds", 12);
    let mut province = Province::start(plan).await;
    province.agency_mut(ENDING).close().await;
    province.agency_mut(HEIR).close().await;
    let draft = province.agency(SENDER).draft().to(province.agency(ENDING));
    let letter = draft.to(province.agency(HEIR)).letter();
    send(&province, SENDER, &letter).await;
    wait_until("both lie in an inbox", PATIENCE, async || {
        consigned(&province) == 2
    })
    .await;
    merge_into_heir(&province).await;
    wait_until("both failed", PATIENCE, async || {
        let books = province.books();
        let failed = |sent: &&harness::province::Sent| {
            sent.dispatch.kind == DispatchKind::Packet && sent.state.word() == "failed"
        };
        books.dispatches.values().filter(failed).count() == 2
    })
    .await;
    send(&province, SENDER, &letter.rebuilt()).await;
    wait_until("it goes again", PATIENCE, async || consigned(&province) >= 1).await;
    province.agency_mut(HEIR).open().await;
    province.take_document(HEIR, &letter).await;
    let audit = prove(&province, balance(2, 0)).await;
    assert_eq!(audit.packets, 1, "{audit:?}");
    province.end().await;
}

/// A document that waits for revocation outlives its sender: it counts who sent it, and whose seals these were, when it
/// came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_when_its_sender_is_merged_goes_on_and_is_answered_to_the_heir() {
    let plan = Plan::new(3).exclusive();
    let mut province = Province::start(plan.set("trust", "need_wait_milliseconds", 200)).await;
    province.authorities.break_remote_list();
    let draft = province.agency(ENDING).draft().to(province.agency(SENDER));
    let letter = draft.seals(Seals::Remote).letter();
    let submission = province.submit(ENDING, &letter).await;
    receipts(&province, ENDING, 1, ReceiptKind::SubmissionHeld).await;
    province.agency_mut(ENDING).close().await;
    merge_into_heir(&province).await;
    province.authorities.mend_remote_list();
    assert_eq!(
        province.take_document(SENDER, &letter).await.bytes,
        letter.bytes()
    );
    let is_answer = |received: &Received| {
        received.about.submission.as_ref() == Some(&submission)
            && received.about.receipt == Some(ReceiptKind::SubmissionAcceptance)
    };
    province.take(HEIR, (1, "answer"), is_answer).await;
    prove(&province, balance(1, 0)).await;
    province.end().await;
}

/// Merges the ending agency into the heir, whose inbox takes what is for both from then on.
async fn merge_into_heir(province: &Province) {
    let [from, into] = [ENDING, HEIR].map(|place| province.agency(place).code());
    province.ledger.takes(from, province.agency(HEIR).account());
    province
        .gateway
        .command(&["agency", "merge", from, "--into", into])
        .await;
}

/// The real command, tried without effect first.
async fn merge(province: &Province) {
    let [from, into] = [ENDING, HEIR].map(|place| province.agency(place).code());
    province.ledger.takes(from, province.agency(HEIR).account());
    let changes = province.books().count("directory-changed");
    let dry_run = ["agency", "merge", from, "--into", into, "--json", "--dry-run"];
    let would: Value = serde_json::from_str(&province.gateway.command(&dry_run).await).expect("JSON");
    assert_eq!(would["made"], false);
    let ended = &would["ended"][0];
    assert_eq!(ended["incoming"], LETTERS, "what is in flight is told: {would}");
    assert_eq!(ended["inbox_account"], province.agency(HEIR).account(), "{would}");
    assert_eq!(ended["codes_kept"][0], from, "{would}");
    let changes_now = province.books().count("directory-changed");
    assert_eq!(changes_now, changes, "nothing was done");
    let made: Value = serde_json::from_str(&province.gateway.command(&dry_run[..6]).await).expect("JSON");
    assert_eq!(made["made"], true);
    assert_eq!(made["unprovisioned"], Value::Array(Vec::new()));
    assert_eq!(made["ended"], would["ended"], "as it was announced");
}

async fn rights_of_the_heir(province: &Province, inherited: &Letter, received: &Letter, sent: &Letter) {
    // Statuses on what was addressed to the ended agency, whether the heir got it or the ended one had it.
    for letter in [inherited, received] {
        let submission = province.report(HEIR, letter.bytes(), StatusCode::Accepted).await;
        accepted(province, HEIR, &submission).await;
        let (_, code, from) = status(province, SENDER).await;
        assert_eq!(
            (code, from.as_str()),
            (StatusCode::Accepted, province.agency(HEIR).code())
        );
    }
    // A status on what the ended agency sent reaches the heir.
    let submission = province.report(SENDER, sent.bytes(), StatusCode::Completed).await;
    accepted(province, SENDER, &submission).await;
    assert_eq!(status(province, HEIR).await.1, StatusCode::Completed);
    // And the heir recalls it.
    let recall = province.agency(HEIR).draft().recall_of(sent).letter();
    send(province, HEIR, &recall).await;
    assert_eq!(
        province.take_document(SENDER, &recall).await.bytes,
        recall.bytes()
    );
    // The sender recalls what the heir got.
    let recall = province.agency(SENDER).draft().recall_of(inherited).letter();
    send(province, SENDER, &recall).await;
    assert_eq!(province.take_document(HEIR, &recall).await.bytes, recall.bytes());
}

fn consigned(province: &Province) -> usize {
    let books = province.books();
    let is_it = |sent: &&harness::province::Sent| {
        sent.dispatch.kind == DispatchKind::Packet && sent.state.word() == "consigned"
    };
    books.dispatches.values().filter(is_it).count()
}
