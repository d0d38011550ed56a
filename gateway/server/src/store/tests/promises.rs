//! What the store promises to its callers: group commit, conflicts, order, durability, originals kept once.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::directory::{Addition, DirectoryChange};
use domain::dispatch::DispatchState;
use domain::event::Happening;
use domain::packet::BusinessType;
use domain::port::{Appended, Commit, Expectation, IssuedHead, Journal, Slot, StoreFault};
use domain::receipt::ReceiptKind;
use trust::{Digest, Time};

use super::support::*;
use crate::store::{Fault, Store, StoreConfig};

#[test]
fn many_commits_share_a_sync() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..2000 {
            let store = store.clone();
            let commit = new_document(number).keeping(number.to_string().into_bytes().into());
            tasks.spawn(async move { store.append(commit).await });
        }
        while let Some(done) = tasks.join_next().await {
            assert!(matches!(
                done.expect("no panic").expect("recorded"),
                Appended::Done(_)
            ));
        }
    });
    let figures = store.figures();
    assert_eq!(
        (figures.commits, figures.events, figures.originals),
        (2000, 2000, 2000)
    );
    assert!(figures.syncs <= 2 * figures.batches, "{figures:?}");
    assert!(figures.syncs < figures.commits / 4, "{figures:?}");
    assert_eq!(figures.queue_commits, 0);
    let positions: Vec<u64> = (0..2000)
        .map(|number| store.events(case(number)).expect("told")[0].position)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    assert_eq!(positions, (1..=2000).collect::<Vec<_>>());
}

#[test]
fn commits_within_the_interval_are_written_together_where_the_last_batch_was_large() {
    for (from_commits, batches) in [(1, 2), (2, 4)] {
        let folder = tempfile::tempdir().expect("a folder");
        let config = StoreConfig {
            commit_interval: Duration::from_secs(2),
            interval_from_commits: from_commits,
            ..small(folder.path())
        };
        let store = Store::open(&config, clock()).expect("the store opens");
        record(&store, new_document(0));
        std::thread::scope(|scope| {
            for number in 1_u8..4 {
                let store = &store;
                scope.spawn(move || {
                    std::thread::sleep(Duration::from_millis(100) * u32::from(number));
                    record(store, new_document(usize::from(number)));
                });
            }
        });
        let figures = store.figures();
        assert_eq!((figures.commits, figures.batches), (4, batches), "{figures:?}");
    }
}

#[test]
fn of_two_racing_twins_one_conflicts_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let slot = Slot::Document(agency(1), document(1));
    let seen = store.seen(&slot).expect("told");
    assert_eq!(seen, 0);
    let twin = |number| {
        let it = accepted(number, identity(1, 1, BusinessType::New), &[2]);
        Commit::of(Happening::Accepted(it)).expecting(Expectation::Unchanged {
            slot: slot.clone(),
            seen,
        })
    };
    let outcomes = run(async {
        tokio::join!(
            store.append(twin(1)),
            store.append(twin(2)),
            store.append(new_document(3))
        )
    });
    assert!(matches!(outcomes.0, Ok(Appended::Done(_))), "{outcomes:?}");
    assert_eq!(outcomes.1, Ok(Appended::Conflict));
    assert!(matches!(outcomes.2, Ok(Appended::Done(_))), "{outcomes:?}");
    assert_eq!(store.case(case(2)), Ok(None));
    assert_eq!(store.checkpoint().size, 2);
    assert_eq!(store.seen(&slot), Ok(1));
}

#[test]
fn a_dispatch_leaves_a_state_once_and_a_receipt_is_issued_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let recorded = record(&store, new_document(1));
    let due = store.due(agency(2), 10).expect("told");
    let consign = || {
        let states = &[DispatchState::Due];
        let expects = Expectation::Dispatch {
            id: due[0].dispatch.id,
            states,
        };
        Commit::of(Happening::Consigned(moved(&due[0].dispatch))).expecting(expects)
    };
    assert!(is_packet(&due[0].dispatch));
    assert!(matches!(run(store.append(consign())), Ok(Appended::Done(_))));
    assert_eq!(run(store.append(consign())), Ok(Appended::Conflict));
    let about = recorded[0].leaf;
    let owed = store.owed_for(1).expect("told").expect("an acceptance is owed");
    assert_eq!(
        (owed.about.clone(), owed.to, owed.checkpoint),
        (recorded[0].clone(), agency(1), None)
    );
    let issue = || {
        let issued = Happening::ReceiptIssued(receipt_issued(case(1), about, agency(1)));
        Commit::of(issued).expecting(Expectation::Unanswered { case: case(1), about })
    };
    assert!(matches!(run(store.append(issue())), Ok(Appended::Done(_))));
    assert_eq!(run(store.append(issue())), Ok(Appended::Conflict));
    assert_eq!(store.owed_for(1), Ok(None));
    assert_eq!(
        store.receipt_about(case(1), &about),
        Ok(Some(IssuedHead {
            kind: ReceiptKind::SubmissionAcceptance,
            receipt: Digest::of(about.as_bytes()),
            status_packet: None,
        }))
    );
}

#[test]
fn an_owed_receipt_carries_the_chain_before_its_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    record(&store, new_document(1));
    let before = store.checkpoint();
    record(&store, new_document(2));
    let owed = store.owed_for(2).expect("told").expect("owed");
    assert_eq!(owed.checkpoint, Some(before));
}

#[test]
fn times_rise_even_when_the_clock_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let micros = Arc::new(AtomicI64::new(1_000_000));
    let stuck = {
        let micros = Arc::clone(&micros);
        move || Time::from_micros(micros.load(Ordering::Relaxed))
    };
    let store = Store::open(&small(folder.path()), stuck.clone()).expect("opens");
    let first = record(&store, new_document(1))[0].event.time;
    assert_eq!(first, Time::from_micros(1_000_000));
    assert_eq!(
        record(&store, new_document(2))[0].event.time,
        Time::from_micros(1_000_001)
    );
    drop(store);
    micros.store(5, Ordering::Relaxed);
    let store = Store::open(&small(folder.path()), stuck).expect("opens");
    assert_eq!(
        record(&store, new_document(3))[0].event.time,
        Time::from_micros(1_000_002)
    );
}

#[test]
fn originals_are_kept_once_small_and_large_and_survive() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let (small_one, large): (Arc<[u8]>, Arc<[u8]>) = (vec![1; 900].into(), vec![2; 90_000].into());
    for number in 0..3 {
        record(
            &store,
            new_document(number)
                .keeping(Arc::clone(&small_one))
                .keeping(Arc::clone(&large)),
        );
    }
    assert_eq!(
        store.figures().originals,
        1,
        "a digest that is kept is not written again"
    );
    drop(store);
    let store = open(folder.path());
    for original in [&small_one, &large] {
        assert_eq!(
            fetch(&store, &Digest::of(original)),
            Ok(Some(Arc::clone(original)))
        );
    }
    assert_eq!(fetch(&store, &Digest::of(b"never kept")), Ok(None));
    let name = Digest::of(&large).to_string();
    assert!(
        folder
            .path()
            .join("objects")
            .join(&name[..2])
            .join(&name[2..])
            .is_file()
    );
}

#[test]
fn a_store_that_is_open_is_not_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let second = Store::open(&small(folder.path()), clock()).expect_err("taken");
    assert!(matches!(&second, Fault::Locked { directory } if directory == folder.path()));
    drop(store);
    open(folder.path());
}

#[test]
fn without_space_nothing_is_taken_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    record(&open(folder.path()), new_document(0));
    let before = fs::metadata(folder.path().join("journal").join("00000000000000000001.journal"))
        .expect("there")
        .len();
    // More than any disk has.
    let full = StoreConfig {
        free_bytes_min: u64::MAX,
        ..small(folder.path())
    };
    let store = Store::open(&full, clock()).expect("a full disk does not keep it from answering");
    let commit = || new_document(1).keeping(vec![1; 70].into());
    let refused = run(store.append(commit())).expect_err("no space");
    assert!(
        matches!(&refused, StoreFault::NotNow(why) if why.contains("free")),
        "{refused}"
    );
    assert!(matches!(
        run(store.append(commit().keeping(vec![2; 9000].into()))),
        Err(StoreFault::NotNow(_))
    ));
    assert_eq!((store.figures().refusals, store.figures().syncs), (1, 0));
    drop(store);
    let after = fs::metadata(folder.path().join("journal").join("00000000000000000001.journal"))
        .expect("there")
        .len();
    assert_eq!(after, before);
    assert_eq!(record(&open(folder.path()), commit())[0].position, 2);
}

#[test]
fn a_write_that_fails_is_undone_and_the_next_one_goes_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = StoreConfig {
        segment_bytes_max: 1,
        ..small(folder.path())
    };
    let store = Store::open(&config, clock()).expect("opens");
    record(&store, new_document(1));
    // Every commit begins a segment here; a folder stands where the next one would.
    let obstacle = folder.path().join("journal").join("00000000000000000002.journal");
    fs::create_dir(&obstacle).expect("made");
    let commit = || new_document(2).keeping(vec![3; 500].into());
    for _ in 0..2 {
        assert!(matches!(run(store.append(commit())), Err(StoreFault::NotNow(_))));
        assert_eq!(store.case(case(2)), Ok(None));
    }
    fs::remove_dir(&obstacle).expect("removed");
    assert_eq!(record(&store, commit())[0].position, 2);
    assert!(fetch(&store, &Digest::of(&[3; 500])).expect("told").is_some());
    let before = answers(&store, 3);
    drop(store);
    assert_eq!(answers(&open(folder.path()), 3), before);
}

#[test]
fn a_closed_store_takes_nothing_more_and_still_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    record(&store, new_document(1));
    store.close();
    store.close();
    assert!(matches!(
        run(store.append(new_document(2))),
        Err(StoreFault::Stopped(_))
    ));
    assert!(store.case(case(1)).expect("told").is_some());
}

#[test]
fn the_directory_is_the_fold_of_its_changes_and_a_contradiction_conflicts() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let added = |id: u8| {
        let addition = Addition {
            id: agency(id),
            name: format!("Sở {id}"),
            codes: Vec::new(),
            parent: None,
            place: None,
            watcher: None,
            level: String::new(),
        };
        Commit::of(Happening::DirectoryChanged(DirectoryChange::Added(addition)))
    };
    record(&store, added(1));
    let two = DirectoryChange::Renamed {
        id: agency(1),
        name: "Sở Nội vụ".to_owned(),
    };
    let mut both = added(2);
    both.happenings.push(Happening::DirectoryChanged(two));
    record(&store, both);
    assert_eq!(run(store.append(added(2))), Ok(Appended::Conflict));
    let before = store.directory();
    assert_eq!((before.agencies().len(), before.version()), (2, 3));
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.directory(), before);
    drop(store);
    fs::remove_dir_all(folder.path().join("index")).expect("removed");
    assert_eq!(open(folder.path()).directory(), before);
}

#[test]
fn an_index_that_is_behind_is_brought_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    record(&store, new_document(0).keeping(vec![7; 70].into()));
    drop(store);
    let saved = tempfile::tempdir().expect("a folder");
    copy(&folder.path().join("index"), &saved.path().join("index"));
    let store = open(folder.path());
    for number in 1..50 {
        record(&store, new_document(number).keeping(vec![8; 80 + number].into()));
    }
    let before = answers(&store, 50);
    drop(store);
    fs::remove_dir_all(folder.path().join("index")).expect("removed");
    copy(&saved.path().join("index"), &folder.path().join("index"));
    let store = open(folder.path());
    assert_eq!((store.figures().rebuilds, store.figures().replayed), (0, 49));
    assert_eq!(answers(&store, 50), before);
    assert!(fetch(&store, &Digest::of(&[8; 100])).expect("told").is_some());
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("copied");
        }
    }
}

#[test]
fn what_is_held_for_further_addressees_leaves_the_accepted_case_the_newest_of_its_identity() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let identity = identity(1, 1, BusinessType::New);
    let newest = || store.same(&identity).expect("told").map(|head| head.case);
    record(&store, Commit::of(Happening::Held(held(1, identity.clone()))));
    assert_eq!(newest(), Some(case(1)));
    record(
        &store,
        Commit::of(Happening::Accepted(accepted(2, identity.clone(), &[2]))),
    );
    record(&store, Commit::of(Happening::Held(held(3, identity.clone()))));
    assert_eq!(newest(), Some(case(2)), "the third is judged beside the second");
}
