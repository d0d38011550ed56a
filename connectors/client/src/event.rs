//! What a connector tells of itself while it works, and what it counts.
//!
//! Events are for watching, not for deciding: a slow listener misses some. Ids and codes only, never a subject or a
//! name.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::dispatch::DispatchKind;
use domain::ids::{CaseId, DispatchId, SubmissionId};
use domain::json::Writer;
use domain::receipt::{ReceiptKind, vietnam_time};
use serde_json::Value;
use trust::Time;

use crate::text::Text;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A connection to the broker is up, and ready to work.
    Connected(Side),
    /// It is lost; it is made again. What keeps it from being made is told by [`crate::Connector::standing`].
    Disconnected(Side, String),
    /// The broker has no memory or disk: it takes nothing for now.
    Blocked(String),
    /// The broker takes again.
    Unblocked,
    /// The broker confirmed a submission.
    Published(SubmissionId),
    /// The broker returned or refused a submission; it is tried again.
    NotTaken(SubmissionId, NotTaken),
    /// A receipt for a submission is stored.
    Answered(SubmissionId, ReceiptKind),
    /// A dispatch is stored durably.
    Stored {
        /// Which.
        dispatch: DispatchId,
        /// Packet, status or receipt.
        kind: DispatchKind,
        /// Its case.
        case: Option<CaseId>,
        /// The document id, as its sender wrote it.
        document: Option<String>,
        /// When.
        at: Time,
    },
    /// A dispatch came again and was dropped.
    Repeated(DispatchId),
    /// A recall came before the software took the dispatch; it is not handed out.
    Recalled {
        /// What is not handed out.
        dispatch: DispatchId,
        /// The recall.
        by: DispatchId,
    },
    /// So many handovers are confirmed to the gateway.
    HandoversConfirmed(usize),
    /// A message that is not of the contract was given back for a person to look at.
    Unreadable(String),
    /// A receipt that does not check under the gateway's certificates; it answers nothing.
    ReceiptDoubted(DispatchId, String),
    /// A submission of the outbox cannot be read back: it is set aside, and is to be sent again.
    DamagedOutgoing {
        /// Which.
        submission: SubmissionId,
        /// With what is left of it.
        file: String,
    },
    /// A stored dispatch cannot be read back: it is set aside, and the gateway is to send it again.
    DamagedIncoming {
        /// Which.
        dispatch: DispatchId,
        /// Its case.
        case: Option<CaseId>,
        /// With what is left of it.
        file: String,
    },
    /// The folder does not take more now; nothing is acknowledged meanwhile.
    StoreFailed(String),
}

/// Why the broker did not take a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// It returned it: nothing stands behind the exchange.
    NoQueue,
    /// It refused it.
    QueueFull,
}

impl NotTaken {
    /// The words for `--json`.
    pub fn word(self) -> &'static str {
        match self {
            NotTaken::NoQueue => "the gateway has no queue for it",
            NotTaken::QueueFull => "the queue is full",
        }
    }

    /// The same for people, with `{submission}`.
    pub fn text(self) -> Text {
        match self {
            NotTaken::NoQueue => Text::EventNoQueue,
            NotTaken::QueueFull => Text::EventQueueFull,
        }
    }
}

/// Which of the two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that submissions and confirmations go through.
    Publishing,
    /// The one that dispatches come through.
    Consuming,
}

impl Side {
    /// The word in logs.
    pub fn word(self) -> &'static str {
        match self {
            Side::Publishing => "publishing",
            Side::Consuming => "consuming",
        }
    }
}

impl Event {
    /// The word for logs and for `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            Event::Connected(_) => "connected",
            Event::Disconnected(..) => "disconnected",
            Event::Blocked(_) => "blocked",
            Event::Unblocked => "unblocked",
            Event::Published(_) => "published",
            Event::NotTaken(..) => "not-taken",
            Event::Answered(..) => "answered",
            Event::Stored { .. } => "stored",
            Event::Repeated(_) => "repeated",
            Event::Recalled { .. } => "recalled",
            Event::HandoversConfirmed(_) => "handovers-confirmed",
            Event::Unreadable(_) => "unreadable",
            Event::ReceiptDoubted(..) => "receipt-doubted",
            Event::DamagedOutgoing { .. } => "damaged-outgoing",
            Event::DamagedIncoming { .. } => "damaged-incoming",
            Event::StoreFailed(_) => "store-failed",
        }
    }

    /// As an object, for programs.
    pub fn to_json(&self) -> Value {
        let object = Writer::new().text("event", self.word());
        match self {
            Event::Connected(side) => object.text("side", side.word()),
            Event::Disconnected(side, reason) => object.text("side", side.word()).text("reason", reason),
            Event::Blocked(reason) | Event::Unreadable(reason) | Event::StoreFailed(reason) => {
                object.text("reason", reason)
            }
            Event::Unblocked => object,
            Event::Published(submission) => object.text("submission", submission),
            Event::NotTaken(submission, why) => {
                object.text("submission", submission).text("reason", why.word())
            }
            Event::Answered(submission, kind) => {
                object.text("submission", submission).text("receipt", kind.word())
            }
            Event::Stored {
                dispatch,
                kind,
                case,
                document,
                at,
            } => object
                .text("dispatch", dispatch)
                .text("kind", kind.word())
                .maybe("case", *case)
                .maybe("document", document.as_ref())
                .text("at", vietnam_time(*at)),
            Event::Repeated(dispatch) => object.text("dispatch", dispatch),
            Event::Recalled { dispatch, by } => object.text("dispatch", dispatch).text("by", by),
            Event::HandoversConfirmed(count) => {
                object.number("count", i64::try_from(*count).unwrap_or(i64::MAX))
            }
            Event::ReceiptDoubted(dispatch, reason) => {
                object.text("dispatch", dispatch).text("reason", reason)
            }
            Event::DamagedOutgoing { submission, file } => {
                object.text("submission", submission).text("file", file)
            }
            Event::DamagedIncoming { dispatch, case, file } => object
                .text("dispatch", dispatch)
                .maybe("case", *case)
                .text("file", file),
        }
        .end()
    }
}

/// Declares the counters once.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What was counted since the connector was opened.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[$doc])* pub $name: u64,)* }

        /// The counters while they count.
        #[derive(Debug, Default)]
        pub(crate) struct Counting { $(pub(crate) $name: AtomicU64,)* }

        impl Counting {
            /// Their values now.
            pub(crate) fn read(&self) -> Counters {
                Counters { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Submissions written to the outbox.
    submitted,
    /// Submissions confirmed by the broker; one that was sent twice counts twice.
    published,
    /// Submissions sent again because no answer came in time.
    resubmitted,
    /// Submissions that the broker returned or refused; each was or will be tried again.
    not_taken,
    /// Final receipts stored for our submissions.
    answered,
    /// Dispatches stored.
    stored,
    /// Packets among them.
    stored_packets,
    /// Dispatches that came again and were dropped.
    repeats,
    /// Handovers whose confirmation the broker holds; a repeat counts again.
    confirmed,
    /// Packets that a recall kept from the software.
    recalled,
    /// Messages that are not of the contract.
    unreadable,
    /// Receipts that did not check.
    doubted,
    /// Submissions and dispatches that could not be read back and were set aside.
    damaged,
    /// Connections that were lost or could not be made.
    disconnects,
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
