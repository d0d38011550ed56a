//! Damage to journal and packs: what was acknowledged before the damage is kept, or the damage is told. Nothing is
//! invented and nothing panics.

use std::fs;
use std::path::{Path, PathBuf};

use domain::event::Happening;
use domain::packet::BusinessType;
use domain::port::{Commit, Journal, Recorded, StoreFault};
use proptest::prelude::*;
use trust::Digest;

use super::support::*;
use crate::store::{Fault, Store};

/// A store with this many documents in commits of one or three events, closed again; the events it acknowledged.
fn filled(folder: &Path, documents: usize) -> Vec<Recorded> {
    let store = open(folder);
    let mut all = Vec::new();
    let mut number = 0;
    while number < documents {
        let together = if number % 4 == 0 { 3 } else { 1 };
        let mut commit = Commit::default();
        for one in number..number + together {
            commit.happenings.extend(new_document(one).happenings);
        }
        all.extend(record(&store, commit));
        number += together;
    }
    all
}

fn newest(folder: &Path, kind: &str) -> PathBuf {
    let files = fs::read_dir(folder.join(kind)).expect("a folder");
    files
        .map(|file| file.expect("an entry").path())
        .max()
        .expect("a file")
}

fn without_index(folder: &Path) {
    fs::remove_dir_all(folder.join("index")).expect("removed");
}

/// Opens after damage: the events that are there, in order; or the damage.
fn survivors(folder: &Path, cases: usize) -> Result<Vec<Recorded>, Fault> {
    let store = Store::open(&small(folder), clock())?;
    let mut events: Vec<Recorded> = (0..cases)
        .flat_map(|number| store.events(case(number)).expect("told"))
        .collect();
    events.sort_by_key(|event| event.position);
    assert_eq!(store.checkpoint().size, events.len() as u64);
    // It goes on: what is recorded now is there after another start.
    let added = record(&store, new_document(cases));
    drop(store);
    let store = Store::open(&small(folder), clock())?;
    assert_eq!(store.events(case(cases)).expect("told"), added);
    Ok(events)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_cut_anywhere_keeps_what_is_whole(documents in 1..40_usize, cut in 0.0..1.0_f64) {
        let folder = tempfile::tempdir().expect("a folder");
        let all = filled(folder.path(), documents);
        without_index(folder.path());
        let path = newest(folder.path(), "journal");
        let length = fs::metadata(&path).expect("there").len();
        let kept = (length as f64 * cut) as u64;
        fs::OpenOptions::new().write(true).open(&path).expect("open").set_len(kept).expect("cut");
        let found = survivors(folder.path(), documents + 3).expect("a cut end is what a crash leaves");
        prop_assert_eq!(&found[..], &all[..found.len()]);
        let whole: usize = fs::read(&path).map_or(0, |_| 1);
        prop_assert!(whole <= 1);
    }

    #[test]
    fn a_flipped_bit_costs_no_earlier_event_and_is_told_where_it_is_no_torn_end(
        documents in 1..40_usize, place in 0.0..1.0_f64, bit in 0..8_u8
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let all = filled(folder.path(), documents);
        without_index(folder.path());
        let path = newest(folder.path(), "journal");
        let mut bytes = fs::read(&path).expect("read");
        let at = ((bytes.len() - 1) as f64 * place) as usize;
        bytes[at] ^= 1 << bit;
        fs::write(&path, &bytes).expect("written");
        match survivors(folder.path(), documents + 3) {
            Ok(found) => {
                prop_assert_eq!(&found[..], &all[..found.len()]);
                // Only the last commit (of at most three events) can look like a torn end.
                prop_assert!(all.len() - found.len() <= 3);
            }
            Err(Fault::Damaged { path: told, offset, .. }) => {
                prop_assert_eq!(told, path);
                prop_assert!(offset <= at as u64);
            }
            Err(Fault::Newer { .. }) => prop_assert_eq!(at, 7),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_pack_cut_or_flipped_gives_the_right_bytes_or_none(cut in 0.0..1.0_f64, flip in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path());
        let originals: Vec<Vec<u8>> = (0..12_u8).map(|n| vec![n; 100 + 57 * usize::from(n)]).collect();
        for (number, original) in originals.iter().enumerate() {
            record(&store, new_document(number).keeping(original.as_slice().into()));
        }
        drop(store);
        without_index(folder.path());
        let path = newest(folder.path(), "packs");
        let mut bytes = fs::read(&path).expect("read");
        let at = ((bytes.len() - 1) as f64 * cut) as usize;
        if flip { bytes[at] ^= 4 } else { bytes.truncate(at) }
        fs::write(&path, &bytes).expect("written");
        let store = match Store::open(&small(folder.path()), clock()) {
            Ok(store) => store,
            Err(fault) => {
                prop_assert!(at < 16 && flip, "{}", fault);
                return Ok(());
            }
        };
        let mut lost = 0;
        for original in &originals {
            match fetch(&store, &Digest::of(original)) {
                Ok(Some(bytes)) => prop_assert_eq!(&bytes[..], &original[..]),
                Ok(None) | Err(StoreFault::Damaged(_)) => lost += 1,
                Err(other) => prop_assert!(false, "{}", other),
            }
            // What is lost can be kept again.
            if lost == 1 && flip {
                record(&store, Commit::default().keeping(original.as_slice().into()));
            }
        }
        if flip {
            prop_assert!(lost <= 1, "one flipped bit spoils one original, not {}", lost);
        }
    }
}

#[test]
fn damage_in_an_older_segment_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = filled(folder.path(), 60);
    let segments: Vec<_> = fs::read_dir(folder.path().join("journal"))
        .expect("a folder")
        .collect();
    assert!(segments.len() > 2, "the test wants several segments");
    let first = folder.path().join("journal").join("00000000000000000001.journal");
    let mut bytes = fs::read(&first).expect("read");
    bytes[3000] ^= 1;
    fs::write(&first, &bytes).expect("written");
    // The index is whole: the damage is met by who reads that event.
    let store = open(folder.path());
    let touched = all.iter().filter(|event| {
        let id = event.event.happening.case().expect("a document");
        matches!(store.events(id), Err(StoreFault::Damaged(_)))
    });
    assert_eq!(touched.count(), 1);
    drop(store);
    without_index(folder.path());
    match Store::open(&small(folder.path()), clock()) {
        Err(Fault::Damaged { path, offset, .. }) => {
            assert_eq!(path, first);
            assert!(offset <= 3000 && 1000 < offset);
        }
        other => panic!("{other:?}"),
    }
    let left = fs::read_dir(folder.path().join("index")).expect("a folder");
    assert_eq!(left.count(), 0, "an index that comes to nothing leaves nothing");
}

#[test]
fn a_missing_segment_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 60);
    without_index(folder.path());
    let mut segments: Vec<_> = fs::read_dir(folder.path().join("journal"))
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .collect();
    segments.sort();
    fs::remove_file(&segments[1]).expect("removed");
    assert!(matches!(
        Store::open(&small(folder.path()), clock()),
        Err(Fault::Damaged { .. })
    ));
}

#[test]
fn a_torn_end_that_the_index_has_seen_whole_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 5);
    let path = newest(folder.path(), "journal");
    let length = fs::metadata(&path).expect("there").len();
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("open")
        .set_len(length - 3)
        .expect("cut");
    let refused =
        Store::open(&small(folder.path()), clock()).expect_err("an acknowledged event is not whole");
    assert!(
        refused.to_string().contains("the index has seen event"),
        "{refused}"
    );
}

#[test]
fn a_journal_that_ends_cleanly_before_what_the_index_has_seen_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 5);
    let (path, frames) = (
        newest(folder.path(), "journal"),
        fs::read(newest(folder.path(), "journal")),
    );
    let frames = frames.expect("read");
    // The journal as it was before its last commit, to the byte.
    let store = open(folder.path());
    record(&store, new_document(90));
    drop(store);
    assert!(frames.len() < fs::read(&path).expect("read").len(), "one segment");
    fs::write(&path, &frames).expect("written");
    let refused = Store::open(&small(folder.path()), clock()).expect_err("an acknowledged event is gone");
    let told = refused.to_string();
    assert!(
        told.contains("the index has seen event") && told.contains("put the journal back"),
        "{told}"
    );
    without_index(folder.path());
    open(folder.path());
}

#[test]
fn packs_that_end_before_what_the_index_has_seen_are_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    record(&store, new_document(1).keeping(b"an original".as_slice().into()));
    drop(store);
    let path = newest(folder.path(), "packs");
    let file = fs::OpenOptions::new().write(true).open(&path).expect("open");
    file.set_len(fs::metadata(&path).expect("there").len() - 1)
        .expect("cut");
    let refused = Store::open(&small(folder.path()), clock()).expect_err("an original is gone");
    assert!(refused.to_string().contains("seen originals"), "{refused}");
}

#[test]
fn an_original_that_is_gone_is_told_when_the_index_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let kept = new_document(1);
    let id = kept.happenings[0].submission().expect("a submission").id.clone();
    record(&store, kept.keeping(format!("packet {id}").into_bytes().into()));
    record(&store, new_document(2));
    assert_eq!(store.figures().missing, 0, "nobody looked yet");
    drop(store);
    without_index(folder.path());
    let store = open(folder.path());
    assert_eq!((store.figures().rebuilds, store.figures().missing), (1, 1));
    drop(store);
    let store = open(folder.path());
    let told = (store.figures().rebuilds, store.figures().missing);
    assert_eq!(told, (0, 1), "a start forgets nothing");
    drop(store);
    without_index(folder.path());
    fs::remove_file(newest(folder.path(), "packs")).expect("removed");
    assert_eq!(open(folder.path()).figures().missing, 2);
}

#[test]
fn a_segment_whose_making_was_interrupted_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = filled(folder.path(), 5);
    fs::write(
        folder.path().join("journal").join("00000000000000000099.journal"),
        b"journ",
    )
    .expect("written");
    assert_eq!(survivors(folder.path(), 8).expect("opens"), all);
}

#[test]
fn a_rewritten_event_breaks_the_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = filled(folder.path(), 3);
    without_index(folder.path());
    let path = newest(folder.path(), "journal");
    // Another history of the same length, with sound checksums: only the chain tells.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let store = open(elsewhere.path());
    record(&store, new_document(7));
    drop(store);
    let (mine, other) = (
        fs::read(&path).expect("read"),
        fs::read(newest(elsewhere.path(), "journal")).expect("read"),
    );
    let frame = 56 + u32::from_be_bytes(mine[60..64].try_into().expect("four")) as usize + 1;
    let mut forged = other;
    forged.extend_from_slice(&mine[60 + frame..]);
    fs::write(&path, forged).expect("written");
    assert_eq!(all.len(), 3);
    let refused = Store::open(&small(folder.path()), clock()).expect_err("forged");
    assert!(refused.to_string().contains("chain"), "{refused}");
}

fn place_of(part: &[u8], bytes: &[u8]) -> usize {
    let mut windows = bytes.windows(part.len());
    windows.position(|window| window == part).expect("there")
}

/// A store with this original, of which one bit was flipped on disk since.
fn with_flipped_original(folder: &Path, original: &[u8], kept_in: &str) -> Store {
    let store = open(folder);
    record(&store, new_document(1).keeping(original.into()));
    record(&store, new_document(2).keeping([8; 100].as_slice().into()));
    drop(store);
    let path = newest(folder, kept_in);
    let mut bytes = fs::read(&path).expect("read");
    let at = place_of(original, &bytes);
    bytes[at] ^= 1;
    fs::write(&path, &bytes).expect("written");
    open(folder)
}

#[test]
fn an_original_that_comes_again_mends_what_was_damaged() {
    let (small, large) = (vec![7; 200], vec![7; 100_000]);
    let object = Digest::of(&large).to_string();
    let folder_of_object = format!("objects/{}", &object[..2]);
    for (original, kept_in) in [(small, "packs"), (large, &folder_of_object[..])] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = with_flipped_original(folder.path(), &original, kept_in);
        let digest = Digest::of(&original);
        assert!(matches!(fetch(&store, &digest), Err(StoreFault::Damaged(_))));
        record(&store, Commit::default().keeping(original.as_slice().into()));
        let mended = fetch(&store, &digest);
        assert_eq!(mended.expect("read").as_deref(), Some(&original[..]));
        drop(store);
        without_index(folder.path());
        let again = fetch(&open(folder.path()), &digest);
        assert_eq!(again.expect("read").as_deref(), Some(&original[..]));
    }
}

#[test]
fn a_held_submission_whose_event_is_damaged_is_passed_over_with_its_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let mut events = Vec::new();
    for number in [1, 2, 3] {
        let happening = Happening::Held(held(usize::from(number), identity(1, number, BusinessType::New)));
        events.extend(record(&store, Commit::of(happening)));
    }
    let path = newest(folder.path(), "journal");
    let mut bytes = fs::read(&path).expect("read");
    let damaged = events[1].event.encode();
    let at = place_of(&damaged, &bytes);
    bytes[at] ^= 1;
    fs::write(&path, bytes).expect("written");
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let page = store.held(after, 1).expect("told");
        pages.push(page.held.iter().map(|one| one.case).collect::<Vec<_>>());
        match page.last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    assert_eq!(pages, [vec![case(3)], vec![], vec![case(1)], vec![]]);
}
