//! The ports: what the road needs of a store and of a way to an agency, in the words of the domain.
//!
//! Engines are chosen at run time, so methods return boxed futures of std types; queries are short reads of a derived
//! index and may block for microseconds.
//!
//! **Invariant:** no other trait stands here without two implementations in sight.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use trust::{Digest, Time};

use crate::directory::Directory;
use crate::dispatch::{Dispatch, DispatchState, Rank};
use crate::event::{Event, Happening, Identity};
use crate::ids::{AccountId, AgencyId, CaseId, Code, DispatchId, DocumentId, SubmissionId};
use crate::packet::{BusinessType, StatusCode};
use crate::receipt::{Checkpoint, ReceiptKind};

/// An answer that comes later.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Our trouble with a store. Never the sender's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// No space, or another error of a write that left nothing behind: try again later.
    #[error("the store cannot take more now: {0}")]
    NotNow(String),
    /// The writer stopped: an fdatasync failed, or the process is ending. Nothing more is taken until a restart.
    #[error("the writer has stopped: {0}")]
    Stopped(String),
    /// What was kept cannot be read back as it was.
    #[error("damaged: {0}")]
    Damaged(String),
}

/// A place of the index whose last change a decision was made on. Two decisions on one state cannot both be recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// A sender's document id.
    Document(AgencyId, DocumentId),
    /// A submission of an account.
    Submission(AccountId, SubmissionId),
    /// A case and its statuses.
    Case(CaseId),
}

/// What must still hold when the record is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// The slot's last change is the one that was seen (0: never changed).
    Unchanged {
        /// Which.
        slot: Slot,
        /// The position that [`Journal::seen`] gave.
        seen: u64,
    },
    /// The dispatch is in one of these states.
    Dispatch {
        /// Which.
        id: DispatchId,
        /// The states it may be in.
        states: &'static [DispatchState],
    },
    /// No receipt was issued for the event with this leaf.
    Unanswered {
        /// The case that the receipt would be about.
        case: CaseId,
        /// The event's leaf.
        about: Digest,
    },
}

/// What is to be recorded together, or not at all.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// What happened, in order. The writer gives each its time.
    pub happenings: Vec<Happening>,
    /// Bytes that the happenings name by digest.
    pub originals: Vec<Arc<[u8]>>,
    /// What the decision rests on.
    pub expects: Vec<Expectation>,
}

impl Commit {
    /// One happening that rests on nothing and names no bytes that are not kept already.
    pub fn of(happening: Happening) -> Commit {
        Commit {
            happenings: vec![happening],
            ..Commit::default()
        }
    }

    /// A dispatch goes one step on, if it is still in one of these states.
    pub fn step(happening: Happening, id: DispatchId, states: &'static [DispatchState]) -> Commit {
        Commit::of(happening).expecting(Expectation::Dispatch { id, states })
    }

    /// With bytes to keep.
    #[must_use]
    pub fn keeping(mut self, original: Arc<[u8]>) -> Commit {
        self.originals.push(original);
        self
    }

    /// With something that must still hold.
    #[must_use]
    pub fn expecting(mut self, expectation: Expectation) -> Commit {
        self.expects.push(expectation);
        self
    }
}

/// An event as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, from 1, without gaps.
    pub position: u64,
    /// SHA-256 of its leaf.
    pub leaf: Digest,
    /// What it says.
    pub event: Event,
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// Durable.
    Done(Vec<Recorded>),
    /// What was expected no longer holds; nothing was written. Judge again.
    Conflict,
}

/// How a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseState {
    /// Waits for something.
    Held,
    /// On its way or settled.
    Accepted,
    /// Accepted and then recalled by its sender.
    Recalled,
    /// Refused for ever.
    Refused,
    /// Held or parked, and then found to belong to another case.
    Joined,
    /// Waits for a person: it cannot be judged.
    Parked,
}

impl CaseState {
    /// The word on pages and in answers.
    pub fn word(self) -> &'static str {
        match self {
            CaseState::Held => "held",
            CaseState::Accepted => "accepted",
            CaseState::Recalled => "recalled",
            CaseState::Refused => "refused",
            CaseState::Joined => "joined",
            CaseState::Parked => "parked",
        }
    }
}

/// What the index knows of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseHead {
    /// Which.
    pub case: CaseId,
    /// How it stands.
    pub state: CaseState,
    /// What it is; `None` for a refusal whose document id could not be read.
    pub identity: Option<Identity>,
    /// The agency that submitted.
    pub sender: Option<AgencyId>,
    /// Its turn.
    pub rank: Rank,
    /// SHA-256 of the packet's bytes.
    pub packet: Digest,
    /// Leaf of the event that answered it last (acceptance, refusal, hold).
    pub answer: Digest,
    /// When the case began.
    pub since: Time,
    /// For a recall, update or replacement: the cases it acts on.
    pub targets: Vec<CaseId>,
    /// The newest recall, update or replacement that acted on this one.
    pub acted_on_by: Option<CaseId>,
}

/// What the index knows of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchHead {
    /// The dispatch itself.
    pub dispatch: Dispatch,
    /// How far it has come.
    pub state: DispatchState,
    /// Leaf of the event that caused it.
    pub event: Digest,
    /// When it went into an inbox last, if it did.
    pub consigned_at: Option<Time>,
    /// The account in whose inbox it lies, or lay last.
    pub consigned_to: Option<AccountId>,
}

/// What the index knows of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionHead {
    /// The case it belongs to.
    pub case: CaseId,
    /// SHA-256 of the packet's bytes.
    pub packet: Digest,
    /// The newest receipt that answered it.
    pub answered: Option<Answered>,
}

/// A receipt that answered a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Leaf of the event that it is evidence of.
    pub about: Digest,
    /// The dispatch that brings it.
    pub dispatch: DispatchId,
}

/// A status that was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusHead {
    /// What it said.
    pub status: StatusCode,
    /// SHA-256 of the status packet.
    pub packet: Digest,
    /// What it meant ([`StatusPacket::meaning_digest`](crate::packet::StatusPacket::meaning_digest)).
    pub meaning: Digest,
    /// Leaf of the event that accepted it.
    pub answer: Digest,
}

/// A receipt that is still to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedReceipt {
    /// Which evidence.
    pub kind: ReceiptKind,
    /// The event it is evidence of.
    pub about: Recorded,
    /// The case.
    pub case: CaseId,
    /// Who gets it.
    pub to: AgencyId,
    /// The newest place of the journal before the event.
    pub checkpoint: Option<Checkpoint>,
}

/// A submission that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSubmission {
    /// The case.
    pub case: CaseId,
    /// When waiting ends.
    pub until: Time,
    /// The event that holds it.
    pub held: Recorded,
}

/// Some of those that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPage {
    /// Those that can be read.
    pub held: Vec<HeldSubmission>,
    /// The last one that was looked at, where there may be more behind it.
    pub last: Option<(Time, CaseId)>,
}

/// A submission that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedSubmission {
    /// The case.
    pub case: CaseId,
    /// The event that parked it.
    pub parked: Recorded,
}

/// Where events are kept and what they amount to.
pub trait Journal: Send + Sync {
    /// Records a commit durably, or says that it conflicts. Answers after fdatasync.
    fn append(&self, commit: Commit) -> Soon<'_, Result<Appended, StoreFault>>;

    /// The directory as of the last recorded change.
    fn directory(&self) -> Arc<Directory>;

    /// Position of the slot's last change; 0 when it never changed.
    fn seen(&self, slot: &Slot) -> Result<u64, StoreFault>;

    /// What is known of a submission.
    fn submission(
        &self,
        account: &AccountId,
        id: &SubmissionId,
    ) -> Result<Option<SubmissionHead>, StoreFault>;

    /// What is known of a case.
    fn case(&self, case: CaseId) -> Result<Option<CaseHead>, StoreFault>;

    /// The newest case of this very identity, however it stands.
    fn same(&self, identity: &Identity) -> Result<Option<CaseHead>, StoreFault>;

    /// The accepted, unrecalled case (new or replacement) or the held one that bears this id of the sender now.
    fn bearer(&self, sender: AgencyId, document: &DocumentId) -> Result<Option<CaseHead>, StoreFault>;

    /// The cases (new or replacement, accepted or recalled) that ever bore this id of the sender, the newest first.
    fn named(&self, sender: AgencyId, document: &DocumentId) -> Result<Vec<CaseHead>, StoreFault>;

    /// The accepted recalls, updates and replacements that act on this case, in no order.
    fn actions(&self, target: CaseId) -> Result<Vec<CaseHead>, StoreFault>;

    /// The packet dispatch of a case to this addressee.
    fn addressed(&self, case: CaseId, agency: AgencyId) -> Result<Option<DispatchHead>, StoreFault>;

    /// All addressees of a case with their packet dispatches.
    fn addressees(&self, case: CaseId) -> Result<Vec<DispatchHead>, StoreFault>;

    /// Statuses of an addressee in a case, in the order they came.
    fn statuses(&self, case: CaseId, addressee: AgencyId) -> Result<Vec<StatusHead>, StoreFault>;

    /// What is known of a dispatch.
    fn dispatch(&self, id: DispatchId) -> Result<Option<DispatchHead>, StoreFault>;

    /// At most `limit` dispatches due for this addressee, those of one document system after those of another.
    fn due(&self, to: AgencyId, limit: usize) -> Result<Vec<DispatchHead>, StoreFault>;

    /// What is due for each document system of this addressee ([`Dispatch::system`]), urgent ones first, then by age: as many
    /// as are wanted, which is asked with the first of a system, and none that is passed over. A system of which none is
    /// wanted is left out.
    fn due_by_system(
        &self,
        to: AgencyId,
        passed_over: &dyn Fn(DispatchId) -> bool,
        wanted: &mut dyn FnMut(&DispatchHead) -> usize,
    ) -> Result<Vec<Vec<DispatchHead>>, StoreFault>;

    /// Addressees for which something is due.
    fn waiting(&self) -> Result<Vec<AgencyId>, StoreFault>;

    /// Dispatches consigned to this addressee's inbox, oldest first.
    fn in_flight(&self, to: AgencyId) -> Result<Vec<DispatchHead>, StoreFault>;

    /// Whatever takes a place in this addressee's inbox, oldest first: what is in flight, and what was given up there and not
    /// taken yet.
    fn in_inbox(&self, to: AgencyId) -> Result<Vec<DispatchHead>, StoreFault>;

    /// Addressees with something in their inbox.
    fn flying(&self) -> Result<Vec<AgencyId>, StoreFault>;

    /// At most `limit` receipts still owed, oldest first.
    fn owed(&self, limit: usize) -> Result<Vec<OwedReceipt>, StoreFault>;

    /// The receipt owed for this event, if one is.
    fn owed_for(&self, position: u64) -> Result<Option<OwedReceipt>, StoreFault>;

    /// The receipt about this case that was issued for the event with this leaf.
    fn receipt_about(&self, case: CaseId, about: &Digest) -> Result<Option<IssuedHead>, StoreFault>;

    /// The events that moved a dispatch, in order.
    fn moves(&self, dispatch: DispatchId) -> Result<Vec<Recorded>, StoreFault>;

    /// At most `limit` held submissions behind this one, those whose waiting ends first coming first.
    fn held(&self, after: Option<(Time, CaseId)>, limit: usize) -> Result<HeldPage, StoreFault>;

    /// The submission of this case, if it is held.
    fn held_case(&self, case: CaseId) -> Result<Option<HeldSubmission>, StoreFault>;

    /// At most `limit` submissions that wait for a person, the oldest case first.
    fn parked(&self, limit: usize) -> Result<Vec<ParkedSubmission>, StoreFault>;

    /// At most `limit` unsettled dispatches that expired before `now`.
    fn expired(&self, now: Time, limit: usize) -> Result<Vec<DispatchHead>, StoreFault>;

    /// The events of a case, in order.
    fn events(&self, case: CaseId) -> Result<Vec<Recorded>, StoreFault>;

    /// When the newest event was; `None` before the first. The next one is later, whatever the clock says.
    fn newest(&self) -> Option<Time>;

    /// The newest place of the journal.
    fn checkpoint(&self) -> Checkpoint;

    /// The place of the journal right before this position; `None` before the first event.
    fn checkpoint_before(&self, position: u64) -> Result<Option<Checkpoint>, StoreFault>;
}

/// Where originals and receipts are kept, each under its digest.
pub trait Archive: Send + Sync {
    /// The bytes whose SHA-256 this is. They were kept with the commit that named them first.
    fn fetch(&self, digest: &Digest) -> Soon<'_, Result<Option<Arc<[u8]>>, StoreFault>>;

    /// How many bytes [`Archive::fetch`] would bring.
    ///
    /// # Errors
    /// Of the index or the file system.
    fn length(&self, digest: &Digest) -> Result<Option<u64>, StoreFault>;
}

/// An answer that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuedHead {
    /// Which evidence.
    pub kind: ReceiptKind,
    /// Digest of the receipt.
    pub receipt: Digest,
    /// Digest of the status packet that says the same, where one was written.
    pub status_packet: Option<Digest>,
}

/// What a hand-over attempt came to. Three endings, never two; of *not now* there are two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the addressee's inbox, confirmed.
    Delivered,
    /// Not now: the broker is away or blocked. Nobody knows whether it got there; the connector drops repeats.
    Deferred,
    /// Not now: the inbox is full, and did not take it.
    Full,
    /// There is no such inbox.
    Declined,
}

/// A dispatch with what travels beside it.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The dispatch.
    pub dispatch: Dispatch,
    /// Leaf of the event behind it.
    pub event: Digest,
    /// The bytes, as they were handed over or signed.
    pub body: Arc<[u8]>,
    /// This gateway's own code: the hop.
    pub gateway: Code,
    /// The document id, as its sender wrote it.
    pub document: Option<String>,
    /// For a recall, update or replacement: the cases it acts on.
    pub targets: Vec<CaseId>,
}

/// A way to put dispatches into agencies' inboxes.
pub trait Inbox: Send + Sync {
    /// Puts one parcel into the inbox of this account and answers when it is there for good.
    fn hand_over(&self, account: AccountId, parcel: Parcel) -> Soon<'_, Outcome>;
}

/// Whether a business type brings a document of its own (rather than acting on another).
pub fn bears_id(business: BusinessType) -> bool {
    match business {
        BusinessType::New | BusinessType::Replace => true,
        BusinessType::Recall | BusinessType::Update => false,
    }
}
