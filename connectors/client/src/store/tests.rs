//! Crash properties: after any crash, what was told to be stored is there, and nothing is handed out twice that was
//! taken for good. A crash is a copy of the folder with the newest segment cut short, reopened.

use std::collections::BTreeSet;
use std::path::Path;

use domain::dispatch::{DispatchKind, Rank};
use domain::ids::{AccountId, CaseId, DispatchId, SubmissionId};
use domain::receipt::ReceiptKind;
use proptest::prelude::*;
use trust::Time;

use super::record::{Arrived, Due, Entered, Record};
use super::*;
use crate::clock;

mod damaged;
mod disk;
mod held;

fn account() -> AccountId {
    AccountId::parse("a17").expect("an account")
}

fn logged(record: Record) -> Logged {
    Logged {
        account: account(),
        record,
    }
}

fn submission(number: u8) -> SubmissionId {
    SubmissionId::parse(&format!("s{number:03}")).expect("an id")
}

fn dispatch(number: u8) -> DispatchId {
    DispatchId::from_bytes([number; 16])
}

fn entered(number: u8, body_bytes: usize) -> Record {
    Record::Entered(Entered {
        submission: submission(number),
        rank: Rank::Normal,
        at: Time::from_seconds(1),
        reports: None,
        body: vec![number; body_bytes],
    })
}

fn arrived(number: u8, body_bytes: usize, answers: Option<u8>) -> Record {
    Record::Arrived(Arrived {
        dispatch: dispatch(number),
        at: clock::now(),
        kind: if answers.is_some() {
            DispatchKind::Receipt
        } else {
            DispatchKind::Packet
        },
        case: None,
        sender: None,
        document: None,
        receipt: answers.map(|_| ReceiptKind::SubmissionAcceptance),
        submission: answers.map(submission),
        due: if answers.is_some() {
            Due::Answer
        } else {
            Due::Nothing
        },
        body: vec![number; body_bytes],
    })
}

/// Two submissions each share a case, as a document and its repeat do while it is held.
fn case(number: u8) -> CaseId {
    CaseId::from_bytes([number / 2; 16])
}

/// A receipt for the submission, under its own dispatch id.
fn receipt(dispatch: u8, number: u8, kind: ReceiptKind, body_bytes: usize) -> Record {
    let Record::Arrived(arrived) = arrived(dispatch, body_bytes, Some(number)) else {
        unreachable!("made so")
    };
    Record::Arrived(Arrived {
        case: Some(case(number)),
        receipt: Some(kind),
        ..arrived
    })
}

const LIMITS: StoreLimits = StoreLimits {
    segment_bytes_max: 4_096,
    commit_interval: Duration::ZERO,
    remember: Duration::from_secs(86_400),
    remember_ids_max: 1_000,
};

/// What happens to a store.
#[derive(Debug, Clone)]
enum Act {
    Enter(u8, usize),
    Publish(u8),
    Arrive(u8, usize),
    /// A final receipt, under dispatch id 128 and following.
    Answer(u8),
    /// A notice that it is held, under dispatch id 64 and following.
    Hold(u8, usize),
    Confirm(u8),
    Take(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let number = 0_u8..24;
    prop_oneof![
        (number.clone(), 1_usize..900).prop_map(|(number, bytes)| Act::Enter(number, bytes)),
        number.clone().prop_map(Act::Publish),
        (number.clone(), 1_usize..900).prop_map(|(number, bytes)| Act::Arrive(number, bytes)),
        number.clone().prop_map(Act::Answer),
        (number.clone(), 1_usize..900).prop_map(|(number, bytes)| Act::Hold(number, bytes)),
        number.clone().prop_map(Act::Confirm),
        number.prop_map(Act::Take),
    ]
}

/// What must be true of the store; the simplest account of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Model {
    waiting: BTreeSet<SubmissionId>,
    answered: BTreeSet<SubmissionId>,
    /// Those that wait and are told to be held in their case.
    held: BTreeSet<SubmissionId>,
    /// Cases with a final answer.
    decided: BTreeSet<CaseId>,
    known: BTreeSet<DispatchId>,
    untaken: BTreeSet<DispatchId>,
    open: BTreeSet<DispatchId>,
}

impl Model {
    /// The record of an act, or nothing where a connector would not write one.
    fn act(&mut self, act: &Act) -> Option<Record> {
        match act {
            Act::Enter(number, bytes) => {
                let id = submission(*number);
                if self.answered.contains(&id) || !self.waiting.insert(id) {
                    return None;
                }
                Some(entered(*number, *bytes))
            }
            Act::Publish(number) => {
                let id = submission(*number);
                self.waiting.contains(&id).then_some(Record::Published {
                    submission: id,
                    at: Time::from_seconds(9),
                })
            }
            Act::Arrive(number, bytes) => self
                .arrive(dispatch(*number))
                .then(|| arrived(*number, *bytes, None)),
            Act::Answer(number) => {
                if !self.arrive(dispatch(128 + number)) {
                    return None;
                }
                self.answer(submission(*number));
                self.decided.insert(case(*number));
                let alike = submission(*number ^ 1);
                if self.held.contains(&alike) {
                    self.answer(alike);
                }
                Some(receipt(
                    128 + number,
                    *number,
                    ReceiptKind::SubmissionAcceptance,
                    60,
                ))
            }
            Act::Hold(number, bytes) => {
                let id = submission(*number);
                if !self.arrive(dispatch(64 + number)) {
                    return None;
                }
                if self.decided.contains(&case(*number)) && self.waiting.contains(&id) {
                    self.answer(id);
                } else if self.waiting.contains(&id) {
                    self.held.insert(id);
                }
                Some(receipt(64 + number, *number, ReceiptKind::SubmissionHeld, *bytes))
            }
            Act::Confirm(number) => {
                let id = dispatch(*number);
                self.open
                    .remove(&id)
                    .then(|| Record::Confirmed { dispatches: vec![id] })
            }
            Act::Take(number) => {
                let id = dispatch(*number);
                self.untaken.remove(&id).then_some(Record::Taken { dispatch: id })
            }
        }
    }

    fn answer(&mut self, id: SubmissionId) {
        self.waiting.remove(&id);
        self.held.remove(&id);
        self.answered.insert(id);
    }

    fn arrive(&mut self, id: DispatchId) -> bool {
        self.open.extend((!self.known.contains(&id)).then_some(id));
        self.untaken.extend((!self.known.contains(&id)).then_some(id));
        self.known.insert(id)
    }

    /// The same as a store tells it.
    fn of(store: &Store, like: &Model) -> Model {
        let mut book = store.book();
        let state = book.account(&account());
        let numbers: Vec<u8> = (0..=255).collect();
        let submissions = || (0..24).map(submission);
        assert!(like.known.len() <= numbers.len());
        state.inbox.confirm_open();
        let open = state
            .inbox
            .take_to_confirm(usize::MAX)
            .into_iter()
            .map(|stored| stored.dispatch)
            .collect();
        Model {
            waiting: submissions().filter(|id| state.outbox.holds(id)).collect(),
            answered: submissions()
                .filter(|id| {
                    state
                        .outbox
                        .answer(id)
                        .is_some_and(|it| it.kind.is_final_answer())
                })
                .collect(),
            held: submissions()
                .filter(|id| {
                    state
                        .outbox
                        .answer(id)
                        .is_some_and(|it| !it.kind.is_final_answer())
                })
                .collect(),
            decided: like.decided.clone(),
            known: numbers
                .iter()
                .map(|number| dispatch(*number))
                .filter(|id| state.inbox.knows(id))
                .collect(),
            untaken: std::iter::from_fn(|| state.inbox.next())
                .map(|about| about.dispatch)
                .collect(),
            open,
        }
    }
}

/// What a connector does after what it took in.
async fn settle_alike(store: &Store) {
    let alike = store.book().account(&account()).outbox.take_answered_alike();
    for (submission, _) in alike {
        store
            .commit(vec![logged(Record::Settled { submission })])
            .await
            .expect("a commit");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("log")).expect("a folder");
    for entry in std::fs::read_dir(from.join("log")).expect("a folder") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, to.join("log").join(path.file_name().expect("a name"))).expect("a copy");
    }
}

fn newest(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder.join("log")).expect("a folder");
    let segments = entries.map(|entry| entry.expect("an entry").path());
    segments
        .filter(|path| path.extension().is_some_and(|it| it == "seg"))
        .max()
        .expect("a segment")
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Crash after every act: the copy of the folder at that moment gives the state of that moment.
    #[test]
    fn a_crash_loses_nothing_that_was_committed(acts in prop::collection::vec(act(), 1..120), crash in 0_usize..120) {
        let (folder, copied) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let (store, mut model) = (Store::open(folder.path(), LIMITS).expect("a store"), Model::default());
        let mut at_crash = Model::default();
        run(async {
            for (number, act) in acts.iter().enumerate() {
                if let Some(record) = model.act(act) {
                    store.commit(vec![logged(record)]).await.expect("a commit");
                    settle_alike(&store).await;
                }
                if number == crash.min(acts.len() - 1) {
                    // The writer may still be tidying up old segments: that is part of what a crash may meet.
                    copy(folder.path(), copied.path());
                    at_crash = model.clone();
                }
            }
            store.close().await;
        });
        let crashed = Store::open(copied.path(), LIMITS).expect("a store after a crash");
        // Answers are remembered while their receipts are in the log; the entry is gone for good either way.
        let mut found = Model::of(&crashed, &at_crash);
        prop_assert!(found.answered.is_subset(&at_crash.answered));
        found.answered.clone_from(&at_crash.answered);
        prop_assert_eq!(found, at_crash.clone());
        // Why something is held can still be read.
        for id in &at_crash.held {
            let notice = crashed.book().account(&account()).outbox.answer(id).cloned().expect("held");
            let record = crashed.read(notice.place).expect("the notice").record;
            prop_assert!(!record.into_body().is_empty());
        }
    }

    /// A write that was torn: only what came last is missing, and the store goes on.
    #[test]
    fn a_torn_tail_costs_only_the_tail(count in 1_u8..40, cut in 1_u64..2_000, garbage in prop::collection::vec(any::<u8>(), 0..40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let big = StoreLimits { segment_bytes_max: 1 << 20, ..LIMITS };
        let store = Store::open(folder.path(), big).expect("a store");
        run(async {
            for number in 0..count {
                store.commit(vec![logged(entered(number, 40))]).await.expect("a commit");
            }
            store.close().await;
        });
        drop(store);
        let path = newest(folder.path());
        let bytes = std::fs::read(&path).expect("a segment");
        let keep = bytes.len() - usize::try_from(cut).expect("small").min(bytes.len());
        std::fs::write(&path, [&bytes[..keep], garbage.as_slice()].concat()).expect("a cut");
        let intact = (bytes.len() - 16) / usize::from(count);
        let expected = keep.saturating_sub(16) / intact;
        let store = Store::open(folder.path(), big);
        if keep < 16 && keep + garbage.len() >= 16 {
            // A head that was cut and overwritten may be of another version: a person is asked.
            return Ok(());
        }
        let store = store.expect("a store");
        prop_assert_eq!(store.book().account(&account()).outbox.len(), expected);
        run(async {
            store.commit(vec![logged(entered(200, 40))]).await.expect("a commit");
            store.close().await;
        });
        drop(store);
        let store = Store::open(folder.path(), big).expect("a store");
        prop_assert_eq!(store.book().account(&account()).outbox.len(), expected + 1);
    }
}

#[test]
fn repeats_are_known_after_a_restart_and_after_their_segment_went() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), LIMITS).expect("a store");
    run(async {
        store
            .commit(vec![logged(arrived(1, 100, None))])
            .await
            .expect("a commit");
        store
            .commit(vec![logged(Record::Taken {
                dispatch: dispatch(1),
            })])
            .await
            .expect("a commit");
        for number in 2..120 {
            let both = vec![
                logged(arrived(number, 700, None)),
                logged(Record::Taken {
                    dispatch: dispatch(number),
                }),
            ];
            store.commit(both).await.expect("a commit");
        }
        store.close().await;
    });
    drop(store);
    assert!(
        !folder.path().join("log/00000001.seg").exists(),
        "the first segment went"
    );
    let segments = std::fs::read_dir(folder.path().join("log"))
        .expect("a folder")
        .count();
    assert!(segments < 8, "{segments} segments for nothing that lives");
    let store = Store::open(folder.path(), LIMITS).expect("a store");
    let mut book = store.book();
    let inbox = &mut book.account(&account()).inbox;
    assert!(
        (1..120).all(|number| inbox.knows(&dispatch(number))),
        "every id is known"
    );
    assert_eq!(inbox.next(), None);
}

#[test]
fn a_folder_is_written_by_one_process_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Store::open(folder.path(), LIMITS).expect("a store");
    assert!(matches!(
        Store::open(folder.path(), LIMITS),
        Err(StoreFault::Locked(_))
    ));
    drop(first);
    assert!(Store::open(folder.path(), LIMITS).is_ok());
}

#[test]
fn a_closed_store_takes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), LIMITS).expect("a store");
    run(async {
        store.close().await;
        let late = store.commit(vec![logged(entered(1, 1))]).await;
        assert!(matches!(late, Err(StoreFault::Stopped)));
    });
}
