//! The folder of one run, below the target folder: it stays there to be looked at, until the next run.
//!
//! **Invariant**: a run that still goes on keeps its folder: each holds a lock, and only unlocked ones are erased.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

const LOCK: &str = "lock";

/// A folder that belongs to this process.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Erases what ended runs left and makes a folder for this one.
    pub(crate) fn claim() -> io::Result<Folder> {
        let all = target_folder()?.join("demonstration");
        std::fs::create_dir_all(&all)?;
        for entry in std::fs::read_dir(&all)? {
            let left = entry?.path();
            if is_left(&left) {
                std::fs::remove_dir_all(&left)?;
            }
        }
        let path = all.join(std::process::id().to_string());
        std::fs::create_dir_all(&path)?;
        let lock = File::create(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { path, _lock: lock }),
            Err(TryLockError::Error(error)) => Err(error),
            Err(TryLockError::WouldBlock) => Err(io::Error::other("another process has our folder")),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether nobody works in this folder any more.
fn is_left(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => true,
    }
}

/// The target folder that this binary was built into: `target/release/demonstration`.
fn target_folder() -> io::Result<PathBuf> {
    let running = std::env::current_exe()?;
    let target = running.parent().and_then(Path::parent);
    target
        .map(Path::to_owned)
        .ok_or_else(|| io::Error::other("the binary lies outside a target folder"))
}
