//! What follows from an event: the dispatches it makes and the receipt it owes.
//!
//! The index applies these when it applies the event, at run time and in a rebuild alike, so that what is due never
//! depends on what a process remembered.
//!
//! **Invariant:** a pure function of the event and its leaf.

use trust::{Digest, Time};

use crate::dispatch::{Answer, Dispatch, DispatchKind, Rank};
use crate::event::{Addressee, Event, Happening, ReceiptIssued, Submission};
use crate::ids::{AccountId, AgencyId, CaseId, Code, DispatchId};
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
        let cause = Cause {
            time: event.time,
            leaf,
        };
        match &event.happening {
            Happening::Accepted(it) => {
                let carried = cause.carrying(it.case, &it.submission, (it.rank, Some(&it.sender_code)));
                let dispatches = carried.to_all(&it.addressees, it.expires_at);
                accepted(dispatches, it.case, &it.submission)
            }
            Happening::Extended(it) => {
                let from = (it.rank, it.sender_code.as_ref());
                let carried = cause.carrying(it.case, &it.submission, from);
                let dispatches = carried.to_all(&it.addressees, it.expires_at);
                accepted(dispatches, it.case, &it.submission)
            }
            Happening::Reported(it) => {
                let from = (it.rank, it.sender_code.as_ref());
                let status = Dispatch {
                    account: it.account.clone(),
                    ..cause
                        .carrying(it.case, &it.submission, from)
                        .to(it.to, DispatchKind::Status)
                };
                accepted(vec![status], it.case, &it.submission)
            }
            Happening::Refused(it) => only(owed(
                ReceiptKind::SubmissionRejection,
                it.case,
                it.submission.agency,
            )),
            Happening::Held(it) => only(owed(ReceiptKind::SubmissionHeld, it.case, it.submission.agency)),
            // For its sender a packet that waits for a person is one that waits.
            Happening::Parked(it) => only(owed(ReceiptKind::SubmissionHeld, it.case, it.submission.agency)),
            Happening::Repeated(it) => only(owed(ReceiptKind::Repeat, it.case, it.submission.agency)),
            Happening::HandedOver(it) => only(of_content(ReceiptKind::ContentHandover, it.case, it.kind)),
            Happening::Failed(it) => {
                let failure = if it.consigned {
                    ReceiptKind::ContentHandoverFailure
                } else {
                    ReceiptKind::ContentConsignmentFailure
                };
                only(of_content(failure, it.case, it.kind))
            }
            Happening::Withdrawn(it) => only(of_content(
                ReceiptKind::ContentConsignmentFailure,
                it.case,
                it.kind,
            )),
            Happening::ReceiptIssued(it) => Consequences {
                dispatches: receipt(it, cause),
                owed: None,
            },
            Happening::Consigned(_)
            | Happening::Lost(_)
            | Happening::DirectoryChanged(_)
            | Happening::BrokerLost { .. } => Consequences::default(),
        }
    }
}

/// The receipt itself, and the status packet that says the same where one was made.
fn receipt(it: &ReceiptIssued, cause: Cause<'_>) -> Vec<Dispatch> {
    let carried = Carried {
        cause,
        case: it.case,
        body: it.receipt,
        rank: it.rank,
        sender: None,
        submitted_by: None,
    };
    let answer = Answer {
        kind: it.kind,
        submission: it.submission.clone(),
    };
    let answering = |dispatch: Dispatch| Dispatch {
        answer: Some(answer.clone()),
        account: it.account.clone(),
        ..dispatch
    };
    let status = it.status_packet.map(|body| {
        let carried = Carried { body, ..carried };
        answering(carried.to(it.to, DispatchKind::Status))
    });
    let receipt = answering(carried.to(it.to, DispatchKind::Receipt));
    std::iter::once(receipt).chain(status).collect()
}

/// What an accepted submission sends on, and its receipt.
fn accepted(dispatches: Vec<Dispatch>, case: CaseId, submission: &Submission) -> Consequences {
    Consequences {
        dispatches,
        owed: owed(ReceiptKind::SubmissionAcceptance, case, submission.agency),
    }
}

fn only(owed: Option<Owed>) -> Consequences {
    Consequences {
        dispatches: Vec::new(),
        owed,
    }
}

/// A receipt for who submitted. An account that the directory does not hold gets none: nobody could be told.
fn owed(kind: ReceiptKind, case: CaseId, to: Option<AgencyId>) -> Option<Owed> {
    to.map(|to| Owed {
        kind,
        case,
        to: Some(to),
    })
}

/// The sender is told about its content; nobody is told about receipts and statuses on their way.
fn of_content(kind: ReceiptKind, case: CaseId, carried: DispatchKind) -> Option<Owed> {
    match carried {
        DispatchKind::Packet => Some(Owed { kind, case, to: None }),
        DispatchKind::Receipt | DispatchKind::Status => None,
    }
}

/// The event that a dispatch follows from.
#[derive(Clone, Copy)]
struct Cause<'a> {
    time: Time,
    leaf: &'a Digest,
}

impl<'a> Cause<'a> {
    /// What a submission brought, on its way to somebody.
    fn carrying(
        self,
        case: CaseId,
        submission: &'a Submission,
        (rank, sender): (Rank, Option<&'a Code>),
    ) -> Carried<'a> {
        Carried {
            cause: self,
            case,
            body: submission.packet,
            rank,
            sender,
            submitted_by: Some(&submission.account),
        }
    }
}

/// Bytes of a case that go to somebody.
#[derive(Clone, Copy)]
struct Carried<'a> {
    cause: Cause<'a>,
    case: CaseId,
    body: Digest,
    rank: Rank,
    sender: Option<&'a Code>,
    submitted_by: Option<&'a AccountId>,
}

impl Carried<'_> {
    fn to(self, to: AgencyId, kind: DispatchKind) -> Dispatch {
        let id = DispatchId::derive(self.cause.time, self.cause.leaf, to, kind.letter());
        Dispatch {
            id,
            case: self.case,
            to,
            code: None,
            kind,
            body: self.body,
            rank: self.rank,
            expires_at: None,
            answer: None,
            account: None,
            sender: self.sender.cloned(),
            submitted_by: self.submitted_by.cloned(),
        }
    }

    fn to_all(self, all: &[Addressee], expires_at: Time) -> Vec<Dispatch> {
        let one = |addressee: &Addressee| {
            let dispatch = self.to(addressee.agency, DispatchKind::Packet);
            Dispatch {
                id: addressee.again.unwrap_or(dispatch.id),
                code: Some(addressee.code.clone()),
                expires_at: Some(expires_at),
                ..dispatch
            }
        };
        all.iter().map(one).collect()
    }
}
