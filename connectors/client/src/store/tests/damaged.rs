//! A disk that gives back other bytes than were written: what is hit is set aside and told, all else goes on.

use super::super::book::Matter;
use super::*;

/// Records of this many bytes fill a segment with six.
const BODY_BYTES: usize = 700;
const COUNT: u8 = 20;

/// A closed store of submissions in several segments.
fn written(limits: StoreLimits) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), limits).expect("a store");
    run(async {
        for number in 0..COUNT {
            store
                .commit(vec![logged(entered(number, BODY_BYTES))])
                .await
                .expect("a commit");
        }
        store.close().await;
    });
    folder
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = std::fs::read(path).expect("a segment");
    bytes[offset] ^= 0x10;
    std::fs::write(path, bytes).expect("a flip");
}

fn held(store: &Store) -> Vec<u8> {
    let mut book = store.book();
    let outbox = &book.account(&account()).outbox;
    (0..COUNT)
        .filter(|number| outbox.holds(&submission(*number)))
        .collect()
}

fn all_but(missing: &[u8]) -> Vec<u8> {
    (0..COUNT).filter(|number| !missing.contains(number)).collect()
}

fn aside(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("log")).expect("a folder");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".damaged")).collect();
    names.sort();
    names
}

#[test]
fn one_damaged_record_is_set_aside_and_all_others_go_on() {
    // In the body, in the checksum, and in the length, which no longer says where the next one begins.
    for hit in [16 + 100, 16 + 5, 16 + 1] {
        let folder = written(LIMITS);
        let path = folder.path().join("log/00000001.seg");
        let before = std::fs::read(&path).expect("a segment");
        flip(&path, hit);
        for start in 0..2 {
            let store = Store::open(folder.path(), LIMITS).expect("it opens");
            assert_eq!(held(&store), all_but(&[0]), "start {start} after a flip at {hit}");
            assert_eq!(store.damage(), Some((1, folder.path().join("log").as_path())));
            assert_eq!(aside(folder.path()), ["00000001.16.damaged"]);
            run(store.close());
        }
        let kept = std::fs::read(folder.path().join("log/00000001.16.damaged")).expect("set aside");
        let equal = kept.iter().zip(&before[16..]).filter(|(one, other)| one == other);
        assert_eq!(equal.count(), kept.len() - 1, "all of it, with the one flip");
    }
}

#[test]
fn damage_in_the_newest_segment_costs_only_what_it_hit() {
    let big = StoreLimits {
        segment_bytes_max: 1 << 20,
        ..LIMITS
    };
    let folder = written(big);
    let path = folder.path().join("log/00000001.seg");
    let record_bytes = (std::fs::read(&path).expect("a segment").len() - 16) / usize::from(COUNT);
    for hit in [3, 19] {
        flip(&path, 16 + hit * record_bytes + 100);
    }
    let store = Store::open(folder.path(), big).expect("it opens");
    assert_eq!(held(&store), all_but(&[3, 19]));
    assert_eq!(store.damage().map(|(count, _)| count), Some(2));
    run(async {
        store
            .commit(vec![logged(entered(3, BODY_BYTES))])
            .await
            .expect("sent again");
        store.close().await;
    });
    drop(store);
    let store = Store::open(folder.path(), big).expect("it opens again");
    assert_eq!(held(&store), all_but(&[19]), "what came after the damage is read");
}

#[test]
fn a_damaged_head_hides_no_record_and_another_version_is_left_alone() {
    let folder = written(LIMITS);
    let path = folder.path().join("log/00000002.seg");
    flip(&path, 3);
    let store = Store::open(folder.path(), LIMITS).expect("it opens");
    assert_eq!(held(&store), all_but(&[]));
    assert_eq!(aside(folder.path()), ["00000002.0.damaged"]);
    run(store.close());
    drop(store);
    let mut bytes = std::fs::read(&path).expect("a segment");
    bytes[..16].copy_from_slice(b"connector-log/2\n");
    std::fs::write(&path, bytes).expect("written");
    let fault = Store::open(folder.path(), LIMITS).expect_err("of another version");
    assert!(
        matches!(
            fault,
            StoreFault::Damaged {
                segment: 2,
                offset: 0
            }
        ),
        "{fault}"
    );
}

#[test]
fn a_segment_that_was_cut_off_is_told() {
    for left in [0, 400] {
        let folder = written(LIMITS);
        let path = folder.path().join("log/00000001.seg");
        let file = File::options().write(true).open(path).expect("a segment");
        file.set_len(left).expect("cut");
        let store = Store::open(folder.path(), LIMITS).expect("it opens");
        assert_eq!(held(&store), all_but(&[0, 1, 2, 3, 4, 5]));
        assert_eq!(store.damage().map(|(count, _)| count), Some(1), "{left}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Whatever byte is hit, at most one record is lost, and then it is told or it was the last of a torn tail.
    #[test]
    fn a_flip_anywhere_costs_one_record_at_most(segment in 1_u32..=4, place in 0_usize..4_400) {
        let folder = written(LIMITS);
        let path = folder.path().join(format!("log/{segment:08}.seg"));
        let length = std::fs::read(&path).expect("a segment").len();
        let place = place % length;
        if (14..16).contains(&place) {
            // The number of the version.
            return Ok(());
        }
        flip(&path, place);
        let store = Store::open(folder.path(), LIMITS).expect("it opens");
        prop_assert!(held(&store).len() >= usize::from(COUNT) - 1);
        let torn = std::fs::read_dir(folder.path().join("log")).expect("a folder").any(|entry| {
            entry.expect("an entry").path().extension().is_some_and(|it| it == "torn")
        });
        prop_assert!(store.damage().is_some() || torn);
    }
}

/// Damage that comes while the store is open is met when the oldest segment is to go.
#[test]
fn what_cannot_be_carried_forward_is_set_aside_and_the_segment_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), LIMITS).expect("a store");
    let path = folder.path().join("log/00000001.seg");
    run(async {
        let commit = async |record| store.commit(vec![logged(record)]).await.expect("a commit");
        commit(entered(0, 100)).await;
        commit(entered(1, 100)).await;
        commit(arrived(2, 100, None)).await;
        commit(arrived(3, 100, None)).await;
        let place = store.book().account(&account()).outbox.place(&submission(0));
        let inbox_place = store.book().account(&account()).inbox.get(&dispatch(2));
        for place in [place.expect("kept"), inbox_place.expect("kept").1] {
            flip(&path, usize::try_from(place.offset).expect("small") + 20);
        }
        for number in 10..60 {
            commit(arrived(number, BODY_BYTES, None)).await;
            commit(Record::Taken {
                dispatch: dispatch(number),
            })
            .await;
        }
        store.close().await;
    });
    assert!(!path.exists(), "the segment went");
    let mut book = store.book();
    let state = book.account(&account());
    assert!(!state.outbox.holds(&submission(0)) && state.outbox.holds(&submission(1)));
    assert!(state.inbox.get(&dispatch(2)).is_none() && state.inbox.get(&dispatch(3)).is_some());
    assert!(!state.inbox.knows(&dispatch(2)), "stored when it comes again");
    let told: Vec<_> = state.damaged.iter().map(|one| one.matter.clone()).collect();
    assert_eq!(
        told,
        [Matter::Submission(submission(0)), Matter::Dispatch(dispatch(2))]
    );
    for damaged in &state.damaged {
        assert!(std::fs::metadata(&damaged.file).expect("set aside").len() > 100);
    }
}

/// What the disk does not give at all cannot be copied: its segment is kept.
#[test]
fn a_segment_whose_records_cannot_be_read_is_never_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), LIMITS).expect("a store");
    let path = folder.path().join("log/00000001.seg");
    run(async {
        for number in 0..6 {
            store
                .commit(vec![logged(entered(number, BODY_BYTES))])
                .await
                .expect("a commit");
        }
        let file = File::options().write(true).open(&path).expect("a segment");
        file.set_len(1_000).expect("cut");
        for number in 10..120 {
            let both = vec![
                logged(arrived(number, BODY_BYTES, None)),
                logged(Record::Taken {
                    dispatch: dispatch(number),
                }),
            ];
            store.commit(both).await.expect("a commit");
        }
        store.close().await;
    });
    assert!(!path.exists());
    let kept = std::fs::metadata(folder.path().join("log/00000001.seg.damaged"));
    assert_eq!(kept.expect("kept").len(), 1_000);
    assert_eq!(held(&store), [0]);
}
