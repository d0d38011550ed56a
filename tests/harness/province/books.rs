//! The gateway's books: every event of its journal, read from the files without the gateway's own reader, and what
//! they amount to.
//!
//! Frames are those of the published form (`gateway/server/src/store/segment.rs`); the hash chain proves each one, so
//! that checksums need not be looked at.
//!
//! **Invariant**: nothing is written, so that the books of a running gateway can be read: they end where its newest
//! whole frame ends.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use domain::{
    consequence::Consequences,
    dispatch::{Dispatch, DispatchState},
    event::{Event, Happening, Identity, Submission},
    ids::{AccountId, CaseId, DispatchId, SubmissionId},
    port::Recorded,
};
use trust::Digest;

const HEADER_BYTES: usize = 60;
const HEAD_BYTES: usize = 56;

/// One submission: whose it is, and its id.
pub type SubmissionKey = (AccountId, SubmissionId);

/// What became of a submission, as far as the journal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A document, a further addressee or a status was accepted, or was repeated.
    Accepted,
    /// Refused.
    Refused,
    /// Waits.
    Held,
    /// Waits for a person.
    Parked,
}

/// A submission in the books.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What became of it.
    pub decision: Decision,
    /// SHA-256 of its bytes.
    pub packet: Digest,
    /// Its case, unless it was parked.
    pub case: Option<CaseId>,
    /// What was put into inboxes because of it, its receipts included.
    pub dispatches: Vec<DispatchId>,
    /// Whether its final receipt was issued.
    pub answered: bool,
}

/// A dispatch in the books.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The dispatch.
    pub dispatch: Dispatch,
    /// How far it has come.
    pub state: DispatchState,
    /// Through whose account it was handed over.
    pub account: Option<AccountId>,
}

/// Received = settled + refused + held + parked, when nothing is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Submissions that the journal knows.
    pub received: usize,
    /// Accepted, with every dispatch of it settled.
    pub settled: usize,
    /// Refused.
    pub refused: usize,
    /// Waiting for something.
    pub held: usize,
    /// Waiting for a person.
    pub parked: usize,
    /// Accepted, with dispatches that are not settled.
    pub under_way: usize,
}

/// All that the journal says.
#[derive(Debug, Default)]
pub struct Books {
    /// Every event, in order.
    pub events: Vec<Recorded>,
    /// Every submission.
    pub submissions: BTreeMap<SubmissionKey, Entry>,
    /// Every dispatch.
    pub dispatches: BTreeMap<DispatchId, Sent>,
    /// What each accepted case is.
    pub identities: BTreeMap<CaseId, Identity>,
    /// Cases that were recalled.
    pub recalled: Vec<CaseId>,
    /// What each dispatch carried, at each time that it was due: one that was given up and goes again may carry the
    /// packet that was built again.
    pub bodies: BTreeSet<(DispatchId, Digest)>,
    keys: HashMap<(SubmissionId, Option<CaseId>), SubmissionKey>,
}

impl Books {
    /// Reads the journal below a data folder.
    ///
    /// # Panics
    /// When it cannot be read, or is not a journal that this build knows, or its chain is broken.
    pub fn read(data: &Path) -> Books {
        let mut books = Books::default();
        let mut chain = Digest::from_bytes([0; 32]);
        for segment in segments(&data.join("journal")) {
            let bytes = std::fs::read(&segment).expect("a segment can be read");
            if bytes.len() < HEADER_BYTES {
                break; // being made
            }
            assert!(
                bytes.starts_with(b"journal\x01"),
                "{} is no journal",
                segment.display()
            );
            let mut rest = &bytes[HEADER_BYTES..];
            while let Some((frame, behind)) = Frame::take(rest) {
                let leaf = Event::leaf(frame.payload);
                chain = Digest::of(&[chain.as_bytes().as_slice(), leaf.as_bytes()].concat());
                let position = books.events.len() as u64 + 1;
                assert_eq!(
                    (frame.position, frame.chain),
                    (position, *chain.as_bytes()),
                    "the chain of {} is broken at event {position}",
                    segment.display()
                );
                let event = Event::decode(frame.payload)
                    .unwrap_or_else(|fault| panic!("event {position} cannot be read: {fault}"));
                books.take(Recorded {
                    position,
                    leaf,
                    event,
                });
                rest = behind;
            }
        }
        books
    }

    /// How many events have this word, such as `accepted`.
    pub fn count(&self, word: &str) -> usize {
        let is_it = |recorded: &&Recorded| recorded.event.happening.word() == word;
        self.events.iter().filter(is_it).count()
    }

    /// Whether nothing more is to be done for this submission.
    pub fn is_settled(&self, entry: &Entry) -> bool {
        entry.answered
            && entry
                .dispatches
                .iter()
                .all(|id| self.dispatches[id].state.is_settled())
    }

    /// Received = settled + refused + held + parked.
    pub fn balance(&self) -> Balance {
        let mut balance = Balance {
            received: self.submissions.len(),
            ..Balance::default()
        };
        for entry in self.submissions.values() {
            let place = match entry.decision {
                Decision::Accepted if self.is_settled(entry) => &mut balance.settled,
                Decision::Accepted => &mut balance.under_way,
                Decision::Refused => &mut balance.refused,
                Decision::Held => &mut balance.held,
                Decision::Parked => &mut balance.parked,
            };
            *place += 1;
        }
        balance
    }

    fn take(&mut self, recorded: Recorded) {
        let Recorded { leaf, event, .. } = &recorded;
        let follows: Vec<Dispatch> = Consequences::of(event, leaf).dispatches;
        let ids: Vec<DispatchId> = follows.iter().map(|dispatch| dispatch.id).collect();
        for dispatch in follows {
            let sent = Sent {
                dispatch,
                state: DispatchState::Due,
                account: None,
            };
            self.bodies.insert((sent.dispatch.id, sent.dispatch.body));
            self.dispatches.insert(sent.dispatch.id, sent);
        }
        match &event.happening {
            Happening::Accepted(it) => {
                self.identities.insert(it.case, it.identity.clone());
                if it.identity.business == domain::packet::BusinessType::Recall {
                    self.recalled.extend(&it.targets);
                }
                self.decide(&it.submission, Decision::Accepted, Some(it.case), ids);
            }
            Happening::Extended(it) => self.decide(&it.submission, Decision::Accepted, Some(it.case), ids),
            Happening::Reported(it) => self.decide(&it.submission, Decision::Accepted, Some(it.case), ids),
            Happening::Repeated(it) => self.decide(&it.submission, Decision::Accepted, Some(it.case), ids),
            Happening::Refused(it) => self.decide(&it.submission, Decision::Refused, Some(it.case), ids),
            Happening::Held(it) => self.decide(&it.submission, Decision::Held, Some(it.case), ids),
            Happening::Parked(it) => self.decide(&it.submission, Decision::Parked, Some(it.case), ids),
            Happening::ReceiptIssued(it) => {
                let place = it.submission.clone().map(|id| (id, Some(it.case)));
                let key = place.and_then(|place| self.keys.get(&place));
                if let Some(entry) = key.and_then(|key| self.submissions.get_mut(key)) {
                    entry.answered |= it.kind.is_final_answer();
                    entry.dispatches.extend(ids);
                }
            }
            Happening::Consigned(it) => self.move_to(it.dispatch, DispatchState::Consigned, &it.account),
            Happening::HandedOver(it) => self.move_to(it.dispatch, DispatchState::HandedOver, &it.account),
            Happening::Withdrawn(it) => self.move_to(it.dispatch, DispatchState::Withdrawn, &it.account),
            Happening::Lost(it) => self.move_to(it.dispatch, DispatchState::Due, &it.account),
            Happening::Failed(it) => self.move_to(it.dispatch, DispatchState::Failed, &None),
            Happening::DirectoryChanged(_) | Happening::BrokerLost { .. } => {}
        }
        self.events.push(recorded);
    }

    fn decide(
        &mut self,
        submission: &Submission,
        decision: Decision,
        case: Option<CaseId>,
        dispatches: Vec<DispatchId>,
    ) {
        let key = (submission.account.clone(), submission.id.clone());
        self.keys.insert((submission.id.clone(), case), key.clone());
        let entry = self.submissions.entry(key).or_insert_with(|| Entry {
            decision,
            packet: submission.packet,
            case,
            dispatches: Vec::new(),
            answered: false,
        });
        entry.decision = decision;
        entry.case = case;
        entry.dispatches.extend(dispatches);
    }

    fn move_to(&mut self, dispatch: DispatchId, state: DispatchState, account: &Option<AccountId>) {
        let sent = self.dispatches.get_mut(&dispatch);
        let sent = sent.unwrap_or_else(|| panic!("dispatch {dispatch} moved before anything caused it"));
        // What was given up stays given up, wherever it lies, until its addressee has it after all.
        let is_final = sent.state == DispatchState::Failed && !state.is_settled();
        if !is_final {
            sent.state = state;
        }
        if account.is_some() {
            sent.account.clone_from(account);
        }
    }
}

struct Frame<'a> {
    position: u64,
    chain: [u8; 32],
    payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The first frame and what stands behind it; `None` at the end, and for a frame that is being written.
    fn take(bytes: &'a [u8]) -> Option<(Frame<'a>, &'a [u8])> {
        let head = bytes.get(..HEAD_BYTES)?;
        let length = u32::from_be_bytes(head[..4].try_into().expect("four bytes")) as usize;
        let whole = bytes.get(..HEAD_BYTES + length + 1)?;
        let frame = Frame {
            position: u64::from_be_bytes(head[4..12].try_into().expect("eight bytes")),
            chain: head[20..52].try_into().expect("32 bytes"),
            payload: &whole[HEAD_BYTES..HEAD_BYTES + length],
        };
        (length > 0 && whole.ends_with(b"\n")).then_some((frame, &bytes[whole.len()..]))
    }
}

/// The segments of a journal, oldest first: their names are the positions of their first events.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut segments: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "journal"))
        .collect();
    segments.sort();
    segments
}
