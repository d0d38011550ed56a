//! What an index promises about crashes in the middle of settling.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use domain::dispatch::{Answer, Dispatch, DispatchKind, DispatchState, Rank};
use domain::ids::{AccountId, AgencyId, CaseId, DispatchId};
use domain::port::DispatchHead;
use domain::receipt::ReceiptKind;
use proptest::prelude::*;
use trust::{Digest, Time};

use super::redo::Redo;
use super::value::{Applied, DispatchRecord, FORMAT};
use super::{Fill, Index, PENDING_MAX, Tuning, key};
use crate::store::journal::{Location, Resume};
use crate::store::pack::PackEnd;
use crate::store::segment::Tip;

const TUNING: Tuning = Tuning {
    cache_bytes: 1 << 20,
    flush_every_ms: 500,
};

fn open(path: &Path) -> Result<Index, crate::store::Fault> {
    Index::open(path, TUNING)
}

fn place(position: u64) -> Applied {
    Applied {
        format: FORMAT,
        journal: Resume {
            tip: Tip {
                position,
                chain: Digest::of(&position.to_be_bytes()),
                time: Time::from_micros(0),
            },
            next: Location {
                segment: 1,
                offset: position,
            },
        },
        packs: PackEnd::START,
        live_bytes: 0,
    }
}

fn held(number: u64) -> Vec<u8> {
    let mut case = [0; 16];
    case[..8].copy_from_slice(&number.to_be_bytes());
    key::case(CaseId::from_bytes(case))
}

/// Puts `count` entries that all say `position`, and removes the one before `first`.
fn change(index: &Index, first: u64, count: u64, position: u64) {
    let mut view = index.view();
    for number in first..first + count {
        view.put(held(number), &position).expect("sled works");
    }
    view.remove(held(first.wrapping_sub(1))).expect("sled works");
    let changes = view.into_changes();
    index.absorb(changes, place(position));
}

/// A new index with ten entries in its tree.
fn settled(path: &Path) -> Index {
    let index = open(path).expect("a new index");
    change(&index, 0, 10, 1);
    index.settle().expect("sled works");
    index
}

fn told(index: &Index) -> Vec<(Vec<u8>, u64)> {
    let found = index.view().scan(b"c", usize::MAX).expect("sled works");
    found
        .into_iter()
        .map(|(key, value)| {
            let value = value.as_ref().try_into().expect("eight bytes");
            (key, u64::from_be_bytes(value))
        })
        .collect()
}

#[test]
fn what_is_settled_is_told_after_a_restart_and_what_is_not_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = settled(folder.path());
    let before = told(&index);
    change(&index, 5, 10, 2);
    assert_ne!(told(&index), before);
    drop(index);
    let index = open(folder.path()).expect("an index that was closed");
    assert_eq!(index.applied().journal, place(1).journal);
    assert_eq!(told(&index), before);
}

/// `system`: whose document system it is for, and its number; 0 for none.
fn receipt(to: u32, (owner, system): (u32, u8), rank: Rank, number: u64) -> DispatchRecord {
    let event = Digest::of(&number.to_be_bytes());
    let to = AgencyId::from_number(to);
    let account = AccountId::parse(&format!("a{owner}-{system}")).expect("an account id");
    let answer = Answer {
        kind: ReceiptKind::SubmissionAcceptance,
        submission: None,
    };
    let dispatch = Dispatch {
        id: DispatchId::derive(Time::from_micros(0), &event, to, b'r'),
        case: CaseId::from_bytes([0; 16]),
        to,
        code: None,
        kind: DispatchKind::Receipt,
        body: event,
        rank,
        expires_at: None,
        answer: Some(answer),
        account: (0 < system).then_some(account),
        sender: None,
        submitted_by: None,
    };
    DispatchRecord {
        head: DispatchHead {
            dispatch,
            state: DispatchState::Due,
            event,
            consigned_at: None,
            consigned_to: None,
        },
        position: number,
        places: Vec::new(),
    }
}

proptest! {
    /// Rows of several document systems, longer and shorter than is read at once; systems of two agencies bear one number.
    /// They come and go, and are looked at in between.
    #[test]
    fn of_each_document_system_is_told_what_is_wanted(
        steps in prop::collection::vec((row(), 0usize..6, 0u8..20), 0..60),
        wanted in prop::collection::vec(0usize..80, 8),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let index = open(folder.path()).expect("a new index");
        let mut model: BTreeMap<(u64, Rank, u64), DispatchRecord> = BTreeMap::new();
        let mut number = 0;
        for (step, (rows, gone, settling)) in (1..).zip(steps) {
            let mut view = index.view();
            for (to, (owner, system), urgent) in rows {
                number += 1;
                let rank = if urgent { Rank::Urgent } else { Rank::Normal };
                let record = receipt(to, (owner, system), rank, number);
                view.put(key::dispatch(record.head.dispatch.id), &record).expect("sled works");
                view.put(key::row(key::DUE, &record.head.dispatch, number), &()).expect("sled works");
                if to == 2 {
                    model.insert((record.head.dispatch.system(), rank, number), record);
                }
            }
            for _ in 0..gone {
                if let Some(((_, _, number), record)) = model.pop_first() {
                    view.remove(key::row(key::DUE, &record.head.dispatch, number)).expect("sled works");
                }
            }
            index.absorb(view.into_changes(), place(step));
            match settling {
                0 => drop(index.pending.write().expect("nobody panicked").begin()),
                1 => index.settle_begun(Duration::ZERO).expect("sled works"),
                _ => {}
            }
            let wanted = |system: u64| wanted[usize::try_from(system % 4 + 4 * (system >> 16 & 1)).expect("small")];
            check_due(&index, &model, &wanted)?;
        }
    }
}

/// New dispatches of one step: addressee, owner and number of the document system, and whether it is urgent.
fn row() -> impl Strategy<Value = Vec<(u32, (u32, u8), bool)>> {
    let one = (1u32..4, (2u32..4, 0u8..4), proptest::bool::weighted(0.2));
    prop_oneof![3 => prop::collection::vec(one.clone(), 0..6), 1 => prop::collection::vec(one, 0..60)]
}

/// What is due for agency 2 is what the model tells of it; every fifth is passed over.
fn check_due(
    index: &Index,
    model: &BTreeMap<(u64, Rank, u64), DispatchRecord>,
    wanted: &dyn Fn(u64) -> usize,
) -> Result<(), TestCaseError> {
    let of_number = |number: &u64| Digest::of(&number.to_be_bytes());
    let over: BTreeSet<DispatchId> = model
        .iter()
        .filter(|((_, _, number), _)| number % 5 == 0)
        .map(|(_, record)| record.head.dispatch.id)
        .collect();
    let mut expected: BTreeMap<u64, Vec<Digest>> = BTreeMap::new();
    for (system, _, number) in model.keys().filter(|(_, _, number)| number % 5 != 0) {
        expected.entry(*system).or_default().push(of_number(number));
    }
    let mut asked = Vec::new();
    let due = index
        .view()
        .due_by_system(AgencyId::from_number(2), &|id| over.contains(&id), &mut |first| {
            asked.push(first.dispatch.system());
            wanted(first.dispatch.system())
        });
    prop_assert_eq!(asked, expected.keys().copied().collect::<Vec<_>>());
    let found: Vec<Vec<Digest>> = due
        .expect("sled works")
        .iter()
        .map(|row| row.iter().map(|head| head.event).collect())
        .collect();
    let expected: Vec<Vec<Digest>> = expected
        .into_iter()
        .map(|(system, row)| row.into_iter().take(wanted(system)).collect())
        .filter(|row: &Vec<Digest>| !row.is_empty())
        .collect();
    prop_assert_eq!(found, expected);
    Ok(())
}

#[test]
fn settling_that_a_crash_interrupted_anywhere_is_ended_at_the_next_start() {
    for written in [0, 1, 7, 20] {
        let folder = tempfile::tempdir().expect("a folder");
        let index = settled(folder.path());
        change(&index, 5, 20, 2);
        let whole = told(&index);
        {
            let redo = begun(&index);
            redo.write(folder.path()).expect("a redo file");
            for (key, value) in redo.changes.entries().take(written) {
                match value {
                    Some(value) => index.db().insert(key, value).expect("sled works"),
                    None => index.db().remove(key).expect("sled works"),
                };
            }
        }
        drop(index);
        let index = open(folder.path()).expect("an index with a redo file");
        assert_eq!(index.applied().journal, place(2).journal, "{written} written");
        assert_eq!(told(&index), whole, "{written} written");
    }
}

fn begun(index: &Index) -> std::sync::Arc<Redo> {
    let mut pending = index.pending.write().expect("nobody panicked");
    assert!(pending.begin(), "nothing else is being settled");
    pending.settling.clone().expect("just begun")
}

#[test]
fn a_redo_file_that_is_not_whole_was_never_begun_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = settled(folder.path());
    let before = told(&index);
    change(&index, 5, 20, 2);
    begun(&index).write(folder.path()).expect("a redo file");
    drop(index);
    let path = folder.path().join("redo");
    let bytes = std::fs::read(&path).expect("the redo file");
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).expect("a folder that can be written");
        assert!(Redo::read(folder.path()).expect("a file").is_none(), "{length}");
    }
    let index = open(folder.path()).expect("an index");
    assert_eq!(told(&index), before);
}

#[test]
fn a_redo_file_of_another_state_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = settled(folder.path());
    change(&index, 5, 20, 2);
    let redo = begun(&index);
    let other = Redo {
        from: place(7),
        to: place(8),
        changes: redo.changes.clone(),
    };
    other.write(folder.path()).expect("a redo file");
    drop(index);
    assert!(open(folder.path()).is_err());
}

#[test]
fn readers_find_what_is_being_settled_and_what_came_since() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = open(folder.path()).expect("a new index");
    change(&index, 0, PENDING_MAX as u64, 1);
    assert_eq!(index.fill(), Fill::Begun);
    change(&index, 5, 10, 2);
    let whole = told(&index);
    assert_eq!(whole.len(), PENDING_MAX - 1, "the fifth is removed");
    assert_eq!(index.view().get(&held(5)).expect("sled works"), Some(2_u64));
    assert_eq!(index.fill(), Fill::Room, "others are being settled");
    index.settle_begun(Duration::ZERO).expect("sled works");
    assert_eq!(told(&index), whole);
    index.settle().expect("sled works");
    assert_eq!((told(&index), index.pending_entries()), (whole, 0));
}

/// What may happen to an index.
#[derive(Debug, Clone)]
enum Act {
    /// Changes of one view: numbers with what is put, or removed.
    Change(Vec<(u8, Option<u64>)>),
    /// The newest changes are taken for settling.
    Begin,
    /// What was taken is written.
    Settle,
}

fn act() -> impl Strategy<Value = Act> {
    let change = proptest::collection::vec((0_u8..12, proptest::option::of(any::<u64>())), 1..8);
    prop_oneof![4 => change.prop_map(Act::Change), 1 => Just(Act::Begin), 1 => Just(Act::Settle)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_index_tells_what_a_map_tells(acts in proptest::collection::vec(act(), 1..40), from in 0_u64..14) {
        let folder = tempfile::tempdir().expect("a folder");
        let index = open(folder.path()).expect("a new index");
        let mut model = BTreeMap::new();
        let mut live = 0;
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Change(changes) => {
                    let mut view = index.view();
                    for (which, value) in changes {
                        let key = held(u64::from(which));
                        match value {
                            Some(value) if model.insert(key.clone(), value).is_none() => view.insert(key, &value),
                            Some(value) => view.put(key, &value).expect("sled works"),
                            None => {
                                model.remove(&key);
                                view.remove(key).expect("sled works");
                            }
                        }
                    }
                    let changes = view.into_changes();
                    index.absorb(changes, place(number as u64 + 1));
                    live = index.applied().live_bytes;
                }
                Act::Begin => drop(index.pending.write().expect("nobody panicked").begin()),
                Act::Settle => index.settle_begun(Duration::ZERO).expect("sled works"),
            }
            prop_assert_eq!(told(&index), model.clone().into_iter().collect::<Vec<_>>());
            let found = index.view().scan_from(b"c", &held(from), 3).expect("sled works");
            let keys: Vec<_> = found.into_iter().map(|(key, _)| key).collect();
            let expected: Vec<_> = model.range(held(from)..).map(|(key, _)| key.clone()).take(3).collect();
            prop_assert_eq!(keys, expected);
        }
        let bytes: usize = model.keys().map(|key| key.len() + 8).sum();
        prop_assert_eq!(live, bytes as u64);
        index.settle().expect("sled works");
        prop_assert_eq!(told(&index), model.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(index.pending_entries(), 0);
    }
}
