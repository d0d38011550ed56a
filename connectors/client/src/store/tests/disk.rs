//! What a full disk leaves, and whom the folders let in.

use super::*;

/// A full disk lets a segment's beginning fail half way; the log goes on in the one before, and may be torn there.
#[tokio::test]
async fn a_segment_whose_beginning_failed_does_not_bar_the_log() {
    for left in [&b""[..], b"connector", b"connector-log/1\n", &[0; 16]] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), StoreLimits::default()).expect("a store");
        store
            .commit(vec![logged(entered(1, 100))])
            .await
            .expect("on disk");
        store.close().await;
        drop(store);
        let log = folder.path().join("log");
        std::fs::write(log.join("00000002.seg"), left).expect("a file");
        let first = log.join("00000001.seg");
        let mut torn = std::fs::read(&first).expect("read");
        torn.extend_from_slice(b"half a frame");
        std::fs::write(&first, torn).expect("written");

        let store = Store::open(folder.path(), StoreLimits::default()).expect("it opens");
        let is_kept = store.book().account(&account()).outbox.holds(&submission(1));
        assert!(is_kept, "{left:?}");
        store
            .commit(vec![logged(entered(2, 100))])
            .await
            .expect("on disk");
        store.close().await;
    }
}

#[test]
fn a_new_folder_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("deep/data");
    Store::open(&data, StoreLimits::default()).expect("a store");
    for made in [data.as_path(), &data.join("log"), &folder.path().join("deep")] {
        let mode = std::fs::metadata(made).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", made.display());
    }
}
