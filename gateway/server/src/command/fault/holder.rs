//! Who holds the data folder.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::command::text::{Said, Text};

/// The process that has the lock of this data folder, as far as the kernel tells it.
pub(super) fn holder(data_dir: &Path) -> Said {
    let known = || {
        let inode = fs::metadata(data_dir.join("lock")).ok()?.ino();
        let pid = holder_of(inode, &fs::read_to_string("/proc/locks").ok()?)?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some(
            Text::HolderProcess
                .said()
                .with("pid", pid)
                .with("name", name.trim()),
        )
    };
    known().unwrap_or_else(|| Text::HolderUnknown.said())
}

/// Reads a table as of proc_locks(5): `1: FLOCK ADVISORY WRITE 707 08:01:4823 0 EOF`. The device is not compared: on
/// some file systems `stat` tells another one than the kernel does.
fn holder_of(inode: u64, locks: &str) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let is_flock = words.nth(1) == Some("FLOCK");
        let pid = words.nth(2)?.parse().ok()?;
        let (_, held) = words.next()?.rsplit_once(':')?;
        (is_flock && held.parse() == Ok(inode)).then_some(pid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_the_process_that_locked_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let lock = fs::File::create(folder.path().join("lock")).expect("made");
        assert_eq!(holder(folder.path()), Text::HolderUnknown.said());
        lock.try_lock().expect("free");
        let told = holder(folder.path()).to_string();
        assert!(told.contains(&std::process::id().to_string()), "{told}");
    }

    #[test]
    fn waiting_and_other_locks_are_passed_over() {
        let locks = "1: POSIX  ADVISORY  WRITE 5 08:01:77 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 6 08:01:77 0 EOF\n\
            2: FLOCK  ADVISORY  WRITE 7 08:01:78 0 EOF\n3: FLOCK  ADVISORY  WRITE 8 08:01:77 0 EOF\n";
        assert_eq!(holder_of(77, locks), Some(8));
        assert_eq!(holder_of(79, locks), None);
    }
}
