//! Values of the index: small binary records of our own.
//!
//! **Invariant:** what is written reads back equal; what does not read is damage, and the index is made again.
//! The version of all of them is [`FORMAT`], kept beside the applied position: another one means a rebuild.

use domain::dispatch::{Answer, Dispatch, DispatchKind, DispatchState, Rank};
use domain::event::Identity;
use domain::ids::{AccountId, AgencyId, CaseId, Code, DispatchId, DocumentId, SubmissionId};
use domain::packet::{BusinessType, StatusCode};
use domain::port::{Answered, CaseHead, CaseState, DispatchHead, IssuedHead, StatusHead, SubmissionHead};
use domain::receipt::ReceiptKind;
use trust::{Digest, Time};

use crate::store::fault::Fault;
use crate::store::journal::{Location, Resume};
use crate::store::pack::{PackEnd, PackPlace};
use crate::store::segment::Tip;

/// Version of the index that this build reads and writes.
pub(crate) const FORMAT: u8 = 11;

/// Something that stands as a value in the index.
pub(crate) trait Value: Sized {
    /// Writes it.
    fn write(&self, out: &mut Writer);
    /// Reads it; `None` for bytes that are none.
    fn read(bytes: &mut Reader<'_>) -> Option<Self>;

    /// Its bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(64);
        self.write(&mut out);
        out.into_bytes()
    }

    /// Reads a whole value.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader).filter(|_| reader.is_empty());
        value.ok_or_else(|| Fault::Index(format!("a value is no {}", std::any::type_name::<Self>())))
    }
}

/// Bytes under construction.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Writer {
        Writer(Vec::with_capacity(bytes))
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Bytes being read.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Value for $number {
            fn write(&self, out: &mut Writer) {
                out.extend(&self.to_be_bytes());
            }
            fn read(bytes: &mut Reader<'_>) -> Option<Self> {
                bytes.take().map(<$number>::from_be_bytes)
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, i64);

/// Newtypes that are written as what they wrap.
macro_rules! wrapped {
    ($($name:ty: $inner:ty, $out:expr, $in:expr;)*) => {$(
        impl Value for $name {
            fn write(&self, out: &mut Writer) {
                let inner: fn(&$name) -> $inner = $out;
                inner(self).write(out);
            }
            fn read(bytes: &mut Reader<'_>) -> Option<Self> {
                let outer: fn($inner) -> Option<$name> = $in;
                outer(<$inner>::read(bytes)?)
            }
        }
    )*};
}

impl Value for () {
    fn write(&self, _: &mut Writer) {}
    fn read(_: &mut Reader<'_>) -> Option<Self> {
        Some(())
    }
}

impl<const N: usize> Value for [u8; N] {
    fn write(&self, out: &mut Writer) {
        out.extend(self);
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        bytes.take()
    }
}

wrapped! {
    AgencyId: u32, |it| it.number(), |it| Some(AgencyId::from_number(it));
    CaseId: [u8; 16], |it| *it.as_bytes(), |it| Some(CaseId::from_bytes(it));
    DispatchId: [u8; 16], |it| *it.as_bytes(), |it| Some(DispatchId::from_bytes(it));
    Digest: [u8; 32], |it| *it.as_bytes(), |it| Some(Digest::from_bytes(it));
    Time: i64, |it| it.as_micros(), |it| Some(Time::from_micros(it));
    BusinessType: String, |it| it.code().to_owned(), |it| BusinessType::parse(&it);
    StatusCode: String, |it| it.code().to_owned(), |it| StatusCode::parse(&it);
    AccountId: String, |it| it.as_str().to_owned(), |it| AccountId::parse(&it).ok();
    Code: String, |it| it.to_string(), |it| Code::parse(&it).ok();
    DocumentId: String, |it| it.as_str().to_owned(), |it| DocumentId::parse(&it).ok();
    SubmissionId: String, |it| it.as_str().to_owned(), |it| SubmissionId::parse(&it).ok();
    DispatchKind: u8, |it| it.letter(), |it| DispatchKind::ALL.into_iter().find(|kind| kind.letter() == it);
    Rank: u8, rank_byte, rank_of;
    DispatchState: u8, state_byte, state_of;
    CaseState: u8, case_state_byte, case_state_of;
    ReceiptKind: u8, receipt_byte, receipt_of;
}

fn rank_byte(rank: &Rank) -> u8 {
    match rank {
        Rank::Urgent => 0,
        Rank::Normal => 1,
    }
}

fn rank_of(byte: u8) -> Option<Rank> {
    [Rank::Urgent, Rank::Normal]
        .into_iter()
        .find(|rank| rank_byte(rank) == byte)
}

const STATES: [DispatchState; 5] = [
    DispatchState::Due,
    DispatchState::Consigned,
    DispatchState::HandedOver,
    DispatchState::Failed,
    DispatchState::Withdrawn,
];

fn state_byte(state: &DispatchState) -> u8 {
    match state {
        DispatchState::Due => 0,
        DispatchState::Consigned => 1,
        DispatchState::HandedOver => 2,
        DispatchState::Failed => 3,
        DispatchState::Withdrawn => 4,
    }
}

fn state_of(byte: u8) -> Option<DispatchState> {
    STATES.into_iter().find(|state| state_byte(state) == byte)
}

fn case_state_byte(state: &CaseState) -> u8 {
    match state {
        CaseState::Held => 0,
        CaseState::Accepted => 1,
        CaseState::Recalled => 2,
        CaseState::Refused => 3,
        CaseState::Joined => 4,
        CaseState::Parked => 5,
    }
}

fn case_state_of(byte: u8) -> Option<CaseState> {
    let all = [
        CaseState::Held,
        CaseState::Accepted,
        CaseState::Recalled,
        CaseState::Refused,
        CaseState::Joined,
        CaseState::Parked,
    ];
    all.into_iter().find(|state| case_state_byte(state) == byte)
}

/// A table of its own: the order of `ReceiptKind::ALL` may change, what is kept may not.
fn receipt_byte(kind: &ReceiptKind) -> u8 {
    match kind {
        ReceiptKind::SubmissionAcceptance => 0,
        ReceiptKind::SubmissionRejection => 1,
        ReceiptKind::SubmissionHeld => 2,
        ReceiptKind::Repeat => 3,
        ReceiptKind::ContentConsignment => 4,
        ReceiptKind::ContentConsignmentFailure => 5,
        ReceiptKind::ContentHandover => 6,
        ReceiptKind::ContentHandoverFailure => 7,
    }
}

fn receipt_of(byte: u8) -> Option<ReceiptKind> {
    ReceiptKind::ALL
        .into_iter()
        .find(|kind| receipt_byte(kind) == byte)
}

impl Value for String {
    fn write(&self, out: &mut Writer) {
        u16::try_from(self.len())
            .expect("ids and codes are at most 512 bytes long")
            .write(out);
        out.extend(self.as_bytes());
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let length = usize::from(u16::read(bytes)?);
        Some(std::str::from_utf8(bytes.bytes(length)?).ok()?.to_owned())
    }
}

impl<T: Value> Value for Option<T> {
    fn write(&self, out: &mut Writer) {
        u8::from(self.is_some()).write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        match u8::read(bytes)? {
            0 => Some(None),
            1 => T::read(bytes).map(Some),
            _ => None,
        }
    }
}

impl<T: Value> Value for Vec<T> {
    fn write(&self, out: &mut Writer) {
        u32::try_from(self.len())
            .expect("lists of an event are short")
            .write(out);
        self.iter().for_each(|one| one.write(out));
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        (0..u32::read(bytes)?).map(|_| T::read(bytes)).collect()
    }
}

/// Structs that are written field by field.
macro_rules! records {
    ($($name:ident { $($field:ident),* $(,)? })*) => {$(
        impl Value for $name {
            fn write(&self, out: &mut Writer) {
                $(self.$field.write(out);)*
            }
            fn read(bytes: &mut Reader<'_>) -> Option<Self> {
                Some($name { $($field: Value::read(bytes)?),* })
            }
        }
    )*};
}

records! {
    Identity { sender, document, business, contents }
    CaseHead { case, state, identity, sender, rank, packet, answer, since, targets, acted_on_by }
    Dispatch { id, case, to, code, kind, body, rank, expires_at, answer, account, sender, submitted_by }
    Answer { kind, submission }
    DispatchHead { dispatch, state, event, consigned_at, consigned_to }
    SubmissionHead { case, packet, answered }
    Answered { about, dispatch }
    StatusHead { status, packet, meaning, answer }
    Mark { location, before }
    Location { segment, offset }
    Tip { position, chain, time }
    Resume { tip, next }
    PackPlace { number, offset, bytes }
    PackEnd { number, offset }
    Applied { format, journal, packs, live_bytes }
    CaseRecord { seen, head, held_until }
    DispatchRecord { head, position, places }
    DocumentRecord { seen, bearer, named }
    WaitingRecord { position, location }
    OwedRecord { kind, case, to, location, before }
    SubmissionRecord { seen, head }
}

/// How far the index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applied {
    /// [`FORMAT`].
    pub(crate) format: u8,
    /// The newest event that is in, and where the journal goes on.
    pub(crate) journal: Resume,
    /// Behind the newest original that is in.
    pub(crate) packs: PackEnd,
    /// Bytes of all keys and values, as the sum of what was put and removed.
    pub(crate) live_bytes: u64,
}

impl Applied {
    /// An empty index.
    pub(crate) const START: Applied = Applied {
        format: FORMAT,
        journal: Resume::START,
        packs: PackEnd::START,
        live_bytes: 0,
    };
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CaseRecord {
    /// Position of the last event that a decision about the case may rest on.
    pub(crate) seen: u64,
    /// What the port tells.
    pub(crate) head: CaseHead,
    /// When its waiting ends, while it is held.
    pub(crate) held_until: Option<Time>,
}

/// A dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DispatchRecord {
    /// What the port tells.
    pub(crate) head: DispatchHead,
    /// Position of the event that caused it: its age.
    pub(crate) position: u64,
    /// Positions and places of the events that moved it.
    pub(crate) places: Vec<(u64, Location)>,
}

/// A sender's document id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DocumentRecord {
    /// Position of the last event that changed who bears it.
    pub(crate) seen: u64,
    /// Who bears it now.
    pub(crate) bearer: Option<CaseId>,
    /// Who ever bore it, the newest last.
    pub(crate) named: Vec<CaseId>,
}

/// A submission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SubmissionRecord {
    /// Position of its last event.
    pub(crate) seen: u64,
    /// What the port tells.
    pub(crate) head: Option<SubmissionHead>,
}

/// A receipt that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwedRecord {
    /// Which evidence.
    pub(crate) kind: ReceiptKind,
    /// The case.
    pub(crate) case: CaseId,
    /// Who gets it.
    pub(crate) to: AgencyId,
    /// Where its event stands.
    pub(crate) location: Location,
    /// The chain before its event.
    pub(crate) before: Digest,
}

/// A held or parked submission; its case (and when its waiting ends) is in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitingRecord {
    /// Position of the event that holds or parks it.
    pub(crate) position: u64,
    /// Where that stands.
    pub(crate) location: Location,
}

/// A place of the journal to look from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Where the event stands.
    pub(crate) location: Location,
    /// The chain before it.
    pub(crate) before: Digest,
}

/// What became of the receipt about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receipted {
    /// It is owed; the position of the event.
    Owed(u64),
    /// It was issued.
    Issued(IssuedHead),
}

impl Value for Receipted {
    fn write(&self, out: &mut Writer) {
        match self {
            Receipted::Owed(position) => (0_u8, *position).write(out),
            Receipted::Issued(it) => (1_u8, ((it.kind, it.receipt), it.status_packet)).write(out),
        }
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        match u8::read(bytes)? {
            0 => u64::read(bytes).map(Receipted::Owed),
            1 => Some(Receipted::Issued(IssuedHead {
                kind: Value::read(bytes)?,
                receipt: Value::read(bytes)?,
                status_packet: Value::read(bytes)?,
            })),
            _ => None,
        }
    }
}

impl<A: Value, B: Value> Value for (A, B) {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        Some((A::read(bytes)?, B::read(bytes)?))
    }
}
