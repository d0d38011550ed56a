//! Documents through the connector's library: accepted, refused, held.

use std::collections::{BTreeMap, BTreeSet};

use connector::Received;
use domain::{
    dispatch::DispatchKind,
    packet::{Limits, Packet},
    receipt::{Receipt, ReceiptKind},
};
use harness::province::{Letter, Province, Seals};

use super::{ADDRESSEES, OFFICE, STATUSES};

/// What the outcomes call a packet whose bytes are those of the sender.
pub(super) const WHOLE: &str = "nguyên vẹn / intact";

/// The ordinary document, which three addressees get and report on.
#[derive(Default)]
pub(super) struct Ordinary {
    letter: Option<Letter>,
    acceptance: Option<Received>,
    received: Vec<(usize, Received)>,
}

impl Ordinary {
    pub(super) async fn send(&mut self, province: &Province) -> String {
        let to = ADDRESSEES.iter().map(|place| province.agency(*place));
        let draft = to.fold(province.agency(OFFICE).draft(), |draft, agency| draft.to(agency));
        let letter = &*self.letter.insert(draft.letter());
        let submission = province.submit(OFFICE, letter).await;
        let receipt = province.answer(OFFICE, &submission).await;
        for place in ADDRESSEES {
            self.received
                .push((place, province.take_document(place, letter).await));
        }
        let whole = self
            .received
            .iter()
            .filter(|(_, received)| received.bytes == letter.bytes())
            .count();
        let is_receipt = |received: &Received| match received.about.receipt {
            Some(ReceiptKind::SubmissionAcceptance) => {
                received.about.submission.as_ref() == Some(&submission)
            }
            Some(kind) => kind == ReceiptKind::ContentHandover && received.about.case == Some(receipt.case),
            None => false,
        };
        let receipts = province
            .take(OFFICE, (1 + ADDRESSEES.len(), "receipts"), is_receipt)
            .await;
        let (acceptances, handovers): (Vec<Received>, Vec<Received>) = receipts
            .into_iter()
            .partition(|received| received.about.receipt == Some(ReceiptKind::SubmissionAcceptance));
        self.acceptance = acceptances.into_iter().next();
        format!(
            "{}, {whole} × {WHOLE}, {} × ContentHandover",
            receipt.kind.word(),
            handovers.len()
        )
    }

    /// Every addressee reports; what the office received of each, in the order of arrival.
    pub(super) async fn report(&self, province: &Province) -> String {
        let letter = self.letter.as_ref().expect("it was sent");
        for (place, received) in &self.received {
            for status in STATUSES {
                let submission = province.report(*place, &received.bytes, status).await;
                province.answer(*place, &submission).await;
            }
        }
        let statuses = STATUSES.len() * self.received.len();
        let is_status = |received: &Received| received.about.kind == DispatchKind::Status;
        let mut by_agency: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for received in province.take(OFFICE, (statuses, "statuses"), is_status).await {
            if let Ok(Packet::Status(status)) = Packet::open(&received.bytes, &Limits::default())
                && status.response_for.document_id == letter.document_id()
            {
                by_agency
                    .entry(status.from.organ_id)
                    .or_default()
                    .push(status.status.code());
            }
        }
        let mut sequences: BTreeMap<String, usize> = BTreeMap::new();
        for codes in by_agency.values() {
            *sequences.entry(codes.join(" ")).or_default() += 1;
        }
        let all: Vec<String> = sequences
            .iter()
            .map(|(codes, count)| format!("{count} × {codes}"))
            .collect();
        all.join(", ")
    }

    /// DER of the receipt that answered it.
    pub(super) fn receipt(&self) -> &[u8] {
        &self.acceptance.as_ref().expect("it was answered").bytes
    }
}

pub(super) async fn broken(province: &Province) -> String {
    refused(province, Seals::Broken).await
}

pub(super) async fn revoked(province: &Province) -> String {
    refused(province, Seals::Revoked).await
}

async fn refused(province: &Province, seals: Seals) -> String {
    let addressee = ADDRESSEES[0];
    let draft = province.agency(OFFICE).draft().to(province.agency(addressee));
    let letter = draft.seals(seals).letter();
    let submission = province.submit(OFFICE, &letter).await;
    let receipt = province.answer(OFFICE, &submission).await;
    let books = province.books();
    let body = letter.packet_digest();
    let sent = books.dispatches.values().any(|sent| sent.dispatch.body == body);
    let got = if sent {
        "có người nhận / delivered"
    } else {
        "không gửi đi / not delivered"
    };
    format!("{} {}, {got}", receipt.kind.word(), reasons(&receipt))
}

fn reasons(receipt: &Receipt) -> String {
    let words = receipt.reasons.iter().map(|reason| reason.code.word());
    let each_once: BTreeSet<&str> = words.collect(); // two seals may be broken by one change
    each_once.into_iter().collect::<Vec<_>>().join(" ")
}

/// The list of the signer's authority cannot be fetched; then it can.
pub(super) async fn held(province: &Province) -> String {
    province.authorities.break_remote_list();
    let addressee = ADDRESSEES[1];
    let draft = province.agency(OFFICE).draft().to(province.agency(addressee));
    let letter = draft.seals(Seals::Remote).letter();
    let submission = province.submit(OFFICE, &letter).await;
    let first = province.first_answer(OFFICE, &submission).await;
    let waits_for: Vec<&str> = first.remarks.iter().map(|remark| remark.code.as_ref()).collect();
    province.authorities.mend_remote_list();
    let receipt = province.answer(OFFICE, &submission).await;
    let received = province.take_document(addressee, &letter).await;
    let whole = usize::from(received.bytes == letter.bytes());
    format!(
        "{} {}, {}, {whole} × {WHOLE}",
        first.kind.word(),
        waits_for.join(" "),
        receipt.kind.word()
    )
}
