//! What follows from an event: the dispatches it makes and the receipt it owes.
//!
//! The index applies these when it applies the event, at run time and in a rebuild alike, so that what is due never
//! depends on what a process remembered.
//!
//! **Invariant:** a pure function of the event and its leaf.

use trust::{Digest, Time};

use crate::dispatch::{Answer, Dispatch, DispatchKind, Rank};
use crate::event::{Addressee, Event, Happening};
use crate::ids::{AgencyId, CaseId, DispatchId};
use crate::receipt::ReceiptKind;

/// A receipt that must be issued because of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Which evidence.
    pub kind: ReceiptKind,
    /// The case it is about.
    pub case: CaseId,
    /// Who gets it; `None` means the sender of the case.
    pub to: Option<AgencyId>,
}

/// What follows from one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consequences {
    /// What is to be put into inboxes.
    pub dispatches: Vec<Dispatch>,
    /// The receipt that is owed for it.
    pub owed: Option<Owed>,
}

impl Consequences {
    /// What follows from `event`, whose stored bytes have this leaf.
    pub fn of(event: &Event, leaf: &Digest) -> Consequences {
        match &event.happening {
            Happening::Accepted(it) => {
                let packet = Carried { case: it.case, body: it.submission.packet, rank: it.rank };
                Consequences {
                    dispatches: packet.to_all(&it.addressees, Some(it.expires_at), leaf),
                    owed: owed(ReceiptKind::SubmissionAcceptance, it.case, it.submission.agency),
                }
            }
            Happening::Extended(it) => {
                let packet = Carried { case: it.case, body: it.submission.packet, rank: it.rank };
                Consequences {
                    dispatches: packet.to_all(&it.addressees, Some(it.expires_at), leaf),
                    owed: owed(ReceiptKind::SubmissionAcceptance, it.case, it.submission.agency),
                }
            }
            Happening::Reported(it) => {
                let status = Carried { case: it.case, body: it.submission.packet, rank: it.rank };
                Consequences {
                    dispatches: vec![status.to(it.to, DispatchKind::Status, None, leaf)],
                    owed: owed(ReceiptKind::SubmissionAcceptance, it.case, it.submission.agency),
                }
            }
            Happening::Refused(it) => {
                only(owed(ReceiptKind::SubmissionRejection, it.case, it.submission.agency))
            }
            Happening::Held(it) => only(owed(ReceiptKind::SubmissionHeld, it.case, it.submission.agency)),
            Happening::Repeated(it) => only(owed(ReceiptKind::Repeat, it.case, it.submission.agency)),
            Happening::HandedOver(it) if it.kind == DispatchKind::Packet => {
                only(to_sender(ReceiptKind::ContentHandover, it.case))
            }
            Happening::Failed(it) if it.kind == DispatchKind::Packet => {
                only(to_sender(ReceiptKind::ContentHandoverFailure, it.case))
            }
            Happening::Withdrawn(it) if it.kind == DispatchKind::Packet => {
                only(to_sender(ReceiptKind::ContentConsignmentFailure, it.case))
            }
            Happening::ReceiptIssued(it) => {
                let receipt = Carried { case: it.case, body: it.receipt, rank: it.rank };
                let answer = Answer { kind: it.kind, submission: it.submission.clone() };
                let receipt = receipt.to(it.to, DispatchKind::Receipt, None, leaf);
                let mut dispatches = vec![Dispatch { answer: Some(answer), ..receipt }];
                if let Some(body) = it.status_packet {
                    let status = Carried { case: it.case, body, rank: it.rank };
                    dispatches.push(status.to(it.to, DispatchKind::Status, None, leaf));
                }
                Consequences { dispatches, owed: None }
            }
            Happening::HandedOver(_)
            | Happening::Failed(_)
            | Happening::Withdrawn(_)
            | Happening::Consigned(_)
            | Happening::Parked(_)
            | Happening::DirectoryChanged(_)
            | Happening::BrokerLost { .. } => Consequences::default(),
        }
    }
}

fn only(owed: Option<Owed>) -> Consequences {
    Consequences { dispatches: Vec::new(), owed }
}

/// A receipt for who submitted. An account that the directory does not hold gets none: nobody could be told.
fn owed(kind: ReceiptKind, case: CaseId, to: Option<AgencyId>) -> Option<Owed> {
    to.map(|to| Owed { kind, case, to: Some(to) })
}

fn to_sender(kind: ReceiptKind, case: CaseId) -> Option<Owed> {
    Some(Owed { kind, case, to: None })
}

/// Bytes of a case that go to somebody.
struct Carried {
    case: CaseId,
    body: Digest,
    rank: Rank,
}

impl Carried {
    fn to(
        &self,
        to: AgencyId,
        kind: DispatchKind,
        expires_at: Option<Time>,
        leaf: &Digest,
    ) -> Dispatch {
        let id = DispatchId::derive(leaf, to, kind.letter());
        Dispatch { id, case: self.case, to, kind, body: self.body, rank: self.rank, expires_at, answer: None }
    }

    fn to_all(&self, all: &[Addressee], expires_at: Option<Time>, leaf: &Digest) -> Vec<Dispatch> {
        all.iter().map(|one| self.to(one.agency, DispatchKind::Packet, expires_at, leaf)).collect()
    }
}
