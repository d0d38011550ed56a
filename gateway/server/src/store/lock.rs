//! The data directory: one process at a time, one version.
//!
//! **Invariant:** nothing in the directory is read or written before it is locked and its version is known.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::file::{make_directory, sync_directory};

/// Version of the directory's layout that this build writes.
const FORMAT: u64 = 1;

/// How much space is kept free in a directory, and how much there is.
#[derive(Debug, Clone)]
pub(super) struct Space {
    directory: PathBuf,
    free_bytes_min: u64,
}

impl Space {
    pub(super) fn new(directory: PathBuf, free_bytes_min: u64) -> Space {
        Space {
            directory,
            free_bytes_min,
        }
    }

    /// Bytes free where the data lies.
    ///
    /// # Errors
    /// [`Fault::System`] when the system does not say.
    pub(super) fn free_bytes(&self) -> Result<u64, Fault> {
        let found = rustix::fs::statvfs(&self.directory);
        let found =
            found.map_err(|error| Fault::system("ask for the space of", &self.directory)(error.into()))?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Whether something may be written.
    ///
    /// # Errors
    /// [`Fault::Full`], which passes when space returns.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.check_beside(0)
    }

    /// Whether so many bytes may be written.
    ///
    /// # Errors
    /// [`Fault::Full`].
    pub(super) fn check_beside(&self, bytes: u64) -> Result<(), Fault> {
        let free_bytes = self.free_bytes()?;
        let free_bytes_min = self.free_bytes_min.saturating_add(bytes);
        if free_bytes_min <= free_bytes {
            return Ok(());
        }
        Err(Fault::Full {
            directory: self.directory.clone(),
            free_bytes,
            free_bytes_min,
        })
    }
}

/// A data directory that belongs to this process until it is dropped.
#[derive(Debug)]
pub(super) struct DataDirectory {
    root: PathBuf,
    lock: File,
}

impl DataDirectory {
    /// Makes the directory if there is none, and takes it.
    ///
    /// # Errors
    /// [`Fault::Locked`] while another process (or another store of this one) has it; [`Fault::Newer`] when a newer
    /// gateway laid it out.
    pub(super) fn take(root: &Path) -> Result<DataDirectory, Fault> {
        make_directory(root)?;
        let path = root.join("lock");
        let options = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let lock = options.map_err(Fault::system("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Fault::Locked {
                    directory: root.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(Fault::system("lock", &path)(error)),
        }
        check_version(root)?;
        let directory = DataDirectory {
            root: root.to_owned(),
            lock,
        };
        for folder in [directory.journal(), directory.packs(), directory.index()] {
            make_directory(&folder)?;
        }
        Ok(directory)
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub(super) fn packs(&self) -> PathBuf {
        self.root.join("packs")
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// Names originals that were missing when an index was made.
    pub(super) fn missing(&self) -> PathBuf {
        self.root.join("missing-originals")
    }

    pub(super) fn index(&self) -> PathBuf {
        self.root.join("index")
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        // Closing alone would not do: a command that another thread is just starting has the descriptor, too, until it
        // runs. What cannot be unlocked is unlocked by the end of the process.
        let _ = self.lock.unlock();
    }
}

fn check_version(root: &Path) -> Result<(), Fault> {
    let path = root.join("VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => {
            let known = |found: u64| (1..=FORMAT).contains(&found);
            match text.trim().parse() {
                Ok(found) if known(found) => Ok(()),
                Ok(found) if FORMAT < found => Err(Fault::Newer {
                    path,
                    found,
                    known: FORMAT,
                }),
                Ok(_) | Err(_) => Err(Fault::damaged(&path, 0, "not a version")),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let aside = root.join("VERSION.new");
            let mut file = File::create(&aside).map_err(Fault::system("create", &aside))?;
            writeln!(file, "{FORMAT}").map_err(Fault::system("write", &aside))?;
            file.sync_all().map_err(Fault::system("sync", &aside))?;
            fs::rename(&aside, &path).map_err(Fault::system("rename", &path))?;
            sync_directory(root)
        }
        Err(error) => Err(Fault::system("read", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_taken_once_and_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = DataDirectory::take(folder.path()).expect("free");
        let second = DataDirectory::take(folder.path()).expect_err("taken");
        assert!(
            matches!(&second, Fault::Locked { directory } if directory == folder.path()),
            "{second}"
        );
        assert!(second.to_string().contains(&folder.path().display().to_string()));
        drop(first);
        DataDirectory::take(folder.path()).expect("free again");
    }

    #[test]
    fn a_newer_layout_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(DataDirectory::take(folder.path()).expect("free"));
        fs::write(folder.path().join("VERSION"), "2\n").expect("written");
        let refused = DataDirectory::take(folder.path()).expect_err("newer");
        assert!(
            matches!(
                refused,
                Fault::Newer {
                    found: 2,
                    known: 1,
                    ..
                }
            ),
            "{refused}"
        );
    }
}
