//! Originals above the inline limit: one file each, named by its digest (`objects/ab/cdef…`).
//!
//! **Invariant:** a name appears only after the bytes behind it are durable: written aside, synced, renamed, and the
//! directory synced.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use trust::Digest;

use super::fault::Fault;
use super::file::{make_directory, sync_directory};
use super::lock::Space;

/// Bytes of a kept original that are compared at once.
const COMPARED_AT_ONCE: usize = 1 << 18;

/// Where a large original is, if it is one.
pub(super) fn path_in(directory: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    directory.join(&name[..2]).join(&name[2..])
}

/// The folder of large originals.
#[derive(Debug)]
pub(super) struct Objects {
    directory: PathBuf,
    /// Makes names of files under way differ.
    started: AtomicU64,
    space: Space,
}

impl Objects {
    /// The space that is kept free.
    pub(super) fn space(&self) -> &Space {
        &self.space
    }

    /// Opens the folder and removes what a crash left half written.
    pub(super) fn open(directory: &Path, space: Space) -> Result<Objects, Fault> {
        let aside = directory.join("aside");
        if aside.is_dir() {
            fs::remove_dir_all(&aside).map_err(Fault::system("remove", &aside))?;
        }
        make_directory(directory)?;
        make_directory(&aside)?;
        for first in 0..=u8::MAX {
            let folder = directory.join(format!("{first:02x}"));
            fs::create_dir_all(&folder).map_err(Fault::system("create", &folder))?;
        }
        // Those that are there may have been made just before a crash.
        sync_directory(directory)?;
        Ok(Objects {
            directory: directory.to_owned(),
            started: AtomicU64::new(0),
            space,
        })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        path_in(&self.directory, digest)
    }

    /// Keeps the bytes durably. Bytes that are kept already, and are the same still, are not written again.
    pub(super) fn keep(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.path(digest);
        if is_same(&path, bytes) {
            // Another thread or an earlier process may have renamed it and not yet made the name durable.
            return sync_directory(path.parent().expect("an object stands in a folder"));
        }
        self.space.check()?;
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let aside = self.directory.join("aside").join(format!("{number}"));
        let written = self.write(&aside, &path, bytes);
        if written.is_err() {
            // Best effort: the folder is emptied at the next start too.
            let _ = fs::remove_file(&aside);
        }
        written
    }

    fn write(&self, aside: &Path, path: &Path, bytes: &[u8]) -> Result<(), Fault> {
        let mut file = File::create(aside).map_err(Fault::system("create", aside))?;
        file.write_all(bytes).map_err(Fault::system("write", aside))?;
        file.sync_all().map_err(Fault::system("sync", aside))?;
        let folder = path.parent().expect("an object stands in a folder");
        fs::rename(aside, path).map_err(Fault::system("rename", path))?;
        sync_directory(folder)
    }

    /// How many bytes with this digest are kept here, if they are.
    pub(super) fn length(&self, digest: &Digest) -> Result<Option<u64>, Fault> {
        let path = self.path(digest);
        match fs::metadata(&path) {
            Ok(file) => Ok(Some(file.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::system("read", &path)(error)),
        }
    }

    /// The bytes with this digest, if they are kept here.
    pub(super) fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.path(digest);
        match fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes) == *digest => Ok(Some(bytes)),
            Ok(_) => Err(Fault::damaged(&path, 0, "the original has another digest")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::kept("read", &path)(error)),
        }
    }
}

/// Whether the file holds these bytes.
fn is_same(path: &Path, bytes: &[u8]) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let (mut file, mut rest) = (BufReader::with_capacity(COMPARED_AT_ONCE, file), bytes);
    loop {
        match file.fill_buf() {
            Ok([]) => return rest.is_empty(),
            Ok(read) => {
                let count = read.len();
                let Some(behind) = rest.strip_prefix(read) else {
                    return false;
                };
                rest = behind;
                file.consume(count);
            }
            Err(_) => return false,
        }
    }
}
