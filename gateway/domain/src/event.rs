//! What happened. Events are the truth of the gateway: cases, dispatches, the index and every number on a page are
//! folds of them.
//!
//! **Invariant:** an event's stored bytes (canonical JSON of [`Event::encode`]) never change and carry neither position
//! nor predecessor: their hash is its leaf in the Merkle log, the same in every engine.
//! **Invariant:** events hold ids, codes and digests; never a subject, a person's name or content.

mod addressee;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

use trust::{Digest, Time};

pub use self::addressee::{Addressee, AddresseeFault, Unaddressed};
use crate::agency::Signatory;
use crate::directory::DirectoryChange;
use crate::dispatch::{Dispatch, DispatchKind, Rank};
use crate::ids::{AccountId, AgencyId, CaseId, Code, DispatchId, DocumentId, SubmissionId};
use crate::packet::{BusinessType, StatusCode};
use crate::receipt::ReceiptKind;
use crate::refusal::{Refusal, RefusalCode, Remark};

/// The version that new events are written in. Readers know this one and every older one.
pub const FORMAT: i64 = 1;

/// One thing that happened, at one moment that no other event of this gateway has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When; unique and rising (QCVN 12:2026 2.2.22): max(now, last + 1 µs), given by the writer.
    pub time: Time,
    /// What.
    pub happening: Happening,
}

impl Event {
    /// The leaf of these stored bytes in the Merkle log (RFC 9162 §2.1.1: SHA-256 over 0x00 and the bytes).
    pub fn leaf(stored: &[u8]) -> Digest {
        let mut input = Vec::with_capacity(stored.len() + 1);
        input.push(0);
        input.extend_from_slice(stored);
        Digest::of(&input)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A packet was accepted: from here on the gateway answers for it (SubmissionAcceptance).
    Accepted(Accepted),
    /// A submission was refused for ever (SubmissionRejection).
    Refused(Refused),
    /// A submission waits for something, and goes on by itself.
    Held(Held),
    /// A submission was the same as an earlier one and gets the same answer.
    Repeated(Repeated),
    /// An accepted packet came again with further addressees.
    Extended(Extended),
    /// A status packet was accepted and goes to the document's sender.
    Reported(Reported),
    /// A dispatch is in its inbox, confirmed by the broker (ContentConsignment).
    Consigned(Moved),
    /// A dispatch is stored by the addressee's connector (ContentHandover).
    HandedOver(Moved),
    /// A dispatch was given up (ContentHandoverFailure).
    Failed(Failed),
    /// A dispatch was taken back by its sender before it reached the inbox.
    Withdrawn(Moved),
    /// A dispatch is no longer in the inbox it was put into, on proof: the inbox lost it, or is no longer its
    /// addressee's. It is due again.
    Lost(Moved),
    /// A receipt was signed and kept.
    ReceiptIssued(ReceiptIssued),
    /// A message that the gateway cannot handle waits for a person.
    Parked(Parked),
    /// The directory changed.
    DirectoryChanged(DirectoryChange),
    /// The broker was found without what it held; its inboxes are filled again from here.
    BrokerLost {
        /// The epoch that the new broker was marked with.
        epoch: String,
    },
}

/// Who handed what over, as the receiver of the bytes knows it before any judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The sender's own name for this attempt.
    pub id: SubmissionId,
    /// The authenticated account.
    pub account: AccountId,
    /// The agency of that account at that moment; `None` when the directory did not hold it.
    pub agency: Option<AgencyId>,
    /// SHA-256 of the bytes.
    pub packet: Digest,
    /// Their number.
    pub packet_bytes: u64,
    /// When they came.
    pub received_at: Time,
}

/// What makes two submissions the same document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The sender, across its renamed and merged codes.
    pub sender: AgencyId,
    /// The id the sender gave.
    pub document: DocumentId,
    /// New, recall, update or replace.
    pub business: BusinessType,
    /// Digest over the decoded contents (and, for the last three, over targets and receiver lists).
    pub contents: Digest,
}

/// What was found of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealFact {
    /// Which attachment, counted from 1 in manifest order.
    pub attachment: u32,
    /// Which signature of it, counted from 1.
    pub seal: u32,
    /// ETSI indication, with the sub-indication behind a slash.
    pub indication: String,
    /// SHA-256 of the signer's certificate, when there is one.
    pub signer: Option<Digest>,
    /// Whose certificate that is by the directory, and of what kind.
    pub signatory: Option<(AgencyId, Signatory)>,
}

/// A packet was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The case that begins, or that was held until now.
    pub case: CaseId,
    /// How it came.
    pub submission: Submission,
    /// What it is.
    pub identity: Identity,
    /// The sender's code as written.
    pub sender_code: Code,
    /// Its turn.
    pub rank: Rank,
    /// Who receives.
    pub addressees: Vec<Addressee>,
    /// Who was named and does not.
    pub unaddressed: Vec<Unaddressed>,
    /// The cases that a recall, update or replacement acts on.
    pub targets: Vec<CaseId>,
    /// What was found of each signature.
    pub seals: Vec<SealFact>,
    /// Worth noting.
    pub remarks: Vec<Remark>,
    /// When an addressee that has not taken it has failed.
    pub expires_at: Time,
    /// Version of the trust material it was judged with.
    pub trust_version: u64,
    /// Version of the directory it was judged with.
    pub directory_version: u64,
}

/// A submission was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The case that this ends.
    pub case: CaseId,
    /// How it came.
    pub submission: Submission,
    /// The document id, where it could be read.
    pub document: Option<DocumentId>,
    /// All reasons that apply, the most helpful first.
    pub reasons: Vec<Refusal>,
    /// Its turn, for the answer.
    pub rank: Rank,
    /// What was found of each signature, as far as it was judged.
    pub seals: Vec<SealFact>,
    /// SHA-256 of the edXML status packet 02 that says the same, for an account whose software only knows edXML; `None` for
    /// what could not be opened, and in events written before it was kept.
    pub status_packet: Option<Digest>,
}

impl Refused {
    /// Whether nothing speaks against it but that the limit of waiting was reached.
    pub fn ran_out(&self) -> bool {
        self.reasons
            .iter()
            .all(|reason| reason.code == RefusalCode::HeldTooLong)
    }
}

/// A submission waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The case that begins.
    pub case: CaseId,
    /// How it came.
    pub submission: Submission,
    /// What it is; reserved until decided.
    pub identity: Identity,
    /// Its turn.
    pub rank: Rank,
    /// What it waits for, as stable codes (`revocation-unknown`, `target-not-yet-known`).
    pub reasons: Vec<Remark>,
    /// When waiting ends with a refusal.
    pub until: Time,
}

/// A submission was the same as an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// The case whose answer is repeated.
    pub case: CaseId,
    /// How it came this time.
    pub submission: Submission,
    /// Leaf of the event whose receipt answers it.
    pub answer: Digest,
}

/// An accepted packet came again with further addressees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extended {
    /// The case that grows.
    pub case: CaseId,
    /// How it came this time; these bytes go to the further addressees.
    pub submission: Submission,
    /// The sender's code as written this time; `None` in events written before it was kept.
    pub sender_code: Option<Code>,
    /// Its turn.
    pub rank: Rank,
    /// Only the further addressees, and those whose dispatch was given up.
    pub addressees: Vec<Addressee>,
    /// Who was named for the first time and does not receive.
    pub unaddressed: Vec<Unaddressed>,
    /// What was found of each signature.
    pub seals: Vec<SealFact>,
    /// Worth noting.
    pub remarks: Vec<Remark>,
    /// When an addressee that has not taken it has failed.
    pub expires_at: Time,
    /// Version of the trust material it was judged with.
    pub trust_version: u64,
    /// Version of the directory it was judged with.
    pub directory_version: u64,
}

/// A status packet was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The document's case.
    pub case: CaseId,
    /// How the status came.
    pub submission: Submission,
    /// Whose status it is: the addressee as named at acceptance (its successor may be who reports).
    /// For 13 the document's sender itself.
    pub addressee: AgencyId,
    /// Who receives the status.
    pub to: AgencyId,
    /// The account that sent the document: its document system waits for the status. `None` for 13, and in events written
    /// before it was kept.
    pub account: Option<AccountId>,
    /// The reporter's code as it wrote it; `None` in events written before it was kept.
    pub sender_code: Option<Code>,
    /// What it says.
    pub status: StatusCode,
    /// What stays of it in a packet that is built again
    /// ([`StatusPacket::meaning_digest`](crate::packet::StatusPacket::meaning_digest)); that of the bytes in events
    /// written before it was kept.
    pub meaning: Digest,
    /// Its turn: that of the document.
    pub rank: Rank,
}

/// A dispatch went one step on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The case it belongs to.
    pub case: CaseId,
    /// Which.
    pub dispatch: DispatchId,
    /// What it carries.
    pub kind: DispatchKind,
    /// The agency that was addressed.
    pub to: AgencyId,
    /// Through whose account: the addressee's own or its successor's; for what was lost, the one it lay in. `None` for
    /// what never left.
    pub account: Option<AccountId>,
    /// When, by the other side's clock, if it said so.
    pub at: Option<Time>,
}

impl Moved {
    /// That this dispatch moved, into the inbox of this account or out of it; stored by a connector at this time.
    pub fn of(dispatch: &Dispatch, account: Option<AccountId>, at: Option<Time>) -> Moved {
        Moved {
            case: dispatch.case,
            dispatch: dispatch.id,
            kind: dispatch.kind,
            to: dispatch.to,
            account,
            at,
        }
    }
}

/// A dispatch was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The case it belongs to.
    pub case: CaseId,
    /// Which.
    pub dispatch: DispatchId,
    /// What it carries.
    pub kind: DispatchKind,
    /// The agency that was addressed.
    pub to: AgencyId,
    /// Why: `expired`, `addressee-closed`.
    pub reason: String,
    /// Whether it lay in an inbox: then it was not fetched, else it was never consigned.
    pub consigned: bool,
}

/// A receipt was signed and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptIssued {
    /// The case it is about.
    pub case: CaseId,
    /// Which evidence.
    pub kind: ReceiptKind,
    /// Leaf of the event it is evidence of.
    pub about: Digest,
    /// SHA-256 of the receipt; the archive holds it.
    pub receipt: Digest,
    /// Who gets it.
    pub to: AgencyId,
    /// The submission that it answers, when it answers one (a repeat gets the earlier receipt under its own id).
    pub submission: Option<SubmissionId>,
    /// The account that submitted it, whose document system waits for the answer; `None` for what answers none, and in
    /// events written before it was kept.
    pub account: Option<AccountId>,
    /// SHA-256 of the edXML status packet 02 that says the same, for software that only knows edXML.
    pub status_packet: Option<Digest>,
    /// Its turn.
    pub rank: Rank,
}

/// A message waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The case that begins, or that was held until now.
    pub case: CaseId,
    /// How it came.
    pub submission: Submission,
    /// Its turn, for the answer: that of the queue it came through, since nobody could read it.
    pub rank: Rank,
    /// Why, as a stable code: `crashed-three-times`.
    pub reason: String,
}

impl Happening {
    /// The word in the stored form, in logs and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Happening::Accepted(_) => "accepted",
            Happening::Refused(_) => "refused",
            Happening::Held(_) => "held",
            Happening::Repeated(_) => "repeated",
            Happening::Extended(_) => "extended",
            Happening::Reported(_) => "reported",
            Happening::Consigned(_) => "consigned",
            Happening::HandedOver(_) => "handed-over",
            Happening::Failed(_) => "failed",
            Happening::Withdrawn(_) => "withdrawn",
            Happening::Lost(_) => "lost",
            Happening::ReceiptIssued(_) => "receipt-issued",
            Happening::Parked(_) => "parked",
            Happening::DirectoryChanged(_) => "directory-changed",
            Happening::BrokerLost { .. } => "broker-lost",
        }
    }

    /// The case it belongs to, if it belongs to one.
    pub fn case(&self) -> Option<CaseId> {
        match self {
            Happening::Accepted(it) => Some(it.case),
            Happening::Refused(it) => Some(it.case),
            Happening::Held(it) => Some(it.case),
            Happening::Repeated(it) => Some(it.case),
            Happening::Extended(it) => Some(it.case),
            Happening::Reported(it) => Some(it.case),
            Happening::Consigned(it)
            | Happening::HandedOver(it)
            | Happening::Withdrawn(it)
            | Happening::Lost(it) => Some(it.case),
            Happening::Failed(it) => Some(it.case),
            Happening::ReceiptIssued(it) => Some(it.case),
            Happening::Parked(it) => Some(it.case),
            Happening::DirectoryChanged(_) | Happening::BrokerLost { .. } => None,
        }
    }

    /// The bytes that the archive keeps for it, by their digests: what was submitted, the receipt, and the status packet
    /// that says the same.
    pub fn originals(&self) -> Vec<Digest> {
        match self {
            Happening::ReceiptIssued(it) => {
                let receipt = std::iter::once(it.receipt);
                receipt.chain(it.status_packet).collect()
            }
            // The bytes of a repeat are not kept: the first ones say the same.
            Happening::Repeated(_) => Vec::new(),
            Happening::Accepted(_)
            | Happening::Refused(_)
            | Happening::Held(_)
            | Happening::Extended(_)
            | Happening::Reported(_)
            | Happening::Parked(_)
            | Happening::Consigned(_)
            | Happening::HandedOver(_)
            | Happening::Failed(_)
            | Happening::Withdrawn(_)
            | Happening::Lost(_)
            | Happening::DirectoryChanged(_)
            | Happening::BrokerLost { .. } => self
                .submission()
                .map(|submission| submission.packet)
                .into_iter()
                .collect(),
        }
    }

    /// The submission that it answers, if it answers one.
    pub fn submission(&self) -> Option<&Submission> {
        match self {
            Happening::Accepted(it) => Some(&it.submission),
            Happening::Refused(it) => Some(&it.submission),
            Happening::Held(it) => Some(&it.submission),
            Happening::Repeated(it) => Some(&it.submission),
            Happening::Extended(it) => Some(&it.submission),
            Happening::Reported(it) => Some(&it.submission),
            Happening::Parked(it) => Some(&it.submission),
            Happening::Consigned(_)
            | Happening::HandedOver(_)
            | Happening::Failed(_)
            | Happening::Withdrawn(_)
            | Happening::Lost(_)
            | Happening::ReceiptIssued(_)
            | Happening::DirectoryChanged(_)
            | Happening::BrokerLost { .. } => None,
        }
    }
}
