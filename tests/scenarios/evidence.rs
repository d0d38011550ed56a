//! What every scenario asks: the answers to its submissions, the receipts that came, and the oracle at its end.
//!
//! **Invariant**: a receipt is looked at only after its signature was checked under the gateway's certificate.

use std::time::Duration;

use connector::Received;
use domain::{
    dispatch::DispatchKind,
    ids::SubmissionId,
    packet::{Limits, Packet, StatusCode},
    receipt::{Receipt, ReceiptKind},
    refusal::RefusalCode,
};
use harness::province::{Audit, Balance, Letter, Province};

/// How long anything may take beside builds on the same two cores.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The oracle. Waits until all is settled, holds what was sent and stored against the journal, and the numbers of the
/// journal against those that this scenario must come to.
///
/// # Panics
/// When anything was lost, doubled or changed, or came to another end.
pub(super) async fn prove(province: &Province, expected: Balance) -> Audit {
    let audit = province.settle(PATIENCE).await;
    audit.assert_clean();
    assert_eq!(audit.balance, expected, "{audit:?}");
    audit
}

/// So many submissions settled, so many refused, none held, parked or under way.
pub(super) fn balance(settled: usize, refused: usize) -> Balance {
    Balance {
        received: settled + refused,
        settled,
        refused,
        ..Balance::default()
    }
}

/// Submits a letter that must be accepted, and returns the receipt.
pub(super) async fn send(province: &Province, sender: usize, letter: &Letter) -> Receipt {
    let submission = province.submit(sender, letter).await;
    accepted(province, sender, &submission).await
}

/// Submits a letter that must be refused, and returns the reasons.
pub(super) async fn send_in_vain(province: &Province, sender: usize, letter: &Letter) -> Vec<RefusalCode> {
    let submission = province.submit(sender, letter).await;
    codes(&refused(province, sender, &submission).await)
}

/// The acceptance of a submission.
pub(super) async fn accepted(province: &Province, sender: usize, submission: &SubmissionId) -> Receipt {
    let receipt = province.answer(sender, submission).await;
    assert_eq!(receipt.kind, ReceiptKind::SubmissionAcceptance, "{receipt:?}");
    receipt
}

/// The rejection of a submission.
pub(super) async fn refused(province: &Province, sender: usize, submission: &SubmissionId) -> Receipt {
    let receipt = province.answer(sender, submission).await;
    assert_eq!(receipt.kind, ReceiptKind::SubmissionRejection, "{receipt:?}");
    receipt
}

/// The codes of all reasons, as they are ordered in the receipt.
pub(super) fn codes(receipt: &Receipt) -> Vec<RefusalCode> {
    receipt.reasons.iter().map(|reason| reason.code).collect()
}

/// The receipt that was handed out, checked.
pub(super) fn opened(province: &Province, place: usize, received: &Received) -> Receipt {
    let opened = province.agency(place).connector().open_receipt(received);
    opened.unwrap_or_else(|fault| panic!("a receipt at {}: {fault}", province.agency(place).name()))
}

/// Takes what arrives at `place` until `count` receipts of this kind are there.
pub(super) async fn receipts(
    province: &Province,
    place: usize,
    count: usize,
    kind: ReceiptKind,
) -> Vec<Receipt> {
    let is_it = |received: &Received| received.about.receipt == Some(kind);
    let taken = province.take(place, (count, kind.word()), is_it).await;
    taken
        .iter()
        .map(|received| opened(province, place, received))
        .collect()
}

/// Takes what arrives at `place` until one status packet is there, and returns its bytes, code and sender.
pub(super) async fn status(province: &Province, place: usize) -> (Vec<u8>, StatusCode, String) {
    let is_it = |received: &Received| received.about.kind == DispatchKind::Status;
    let taken = province.take(place, (1, "status packet"), is_it).await.remove(0);
    match Packet::open(&taken.bytes, &Limits::default()) {
        Ok(Packet::Status(status)) => (taken.bytes, status.status, status.from.organ_id),
        Ok(Packet::Document(_)) => panic!("a document was delivered as a status"),
        Err(fault) => panic!("a status packet cannot be read: {fault}"),
    }
}
