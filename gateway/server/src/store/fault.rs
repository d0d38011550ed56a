//! What can go wrong with the store, in words an operator can act on.
//!
//! **Invariant:** every variant names the operation that failed and the file or directory it failed on.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use domain::port::StoreFault;

/// What Linux says when a disk does not give back what is on it (`EIO`).
const DISK_ERROR: i32 = 5;

/// Our trouble with the data directory.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// What was kept cannot be read back as it was, in a place that no crash explains.
    #[error("damaged: {} at offset {offset}: {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it, in bytes from its start.
        offset: u64,
        /// What was found.
        what: String,
    },
    /// The derived index cannot be opened, read or written. It can be made again from the journal.
    #[error("the index fails: {0}")]
    Index(String),
    /// So little space is left that the index could run out of it in the middle of a write, which sled does not survive.
    #[error("only {free_bytes} bytes are free in {}, fewer than the {free_bytes_min} that are kept free", .directory.display())]
    Full {
        /// The data directory.
        directory: PathBuf,
        /// What is free.
        free_bytes: u64,
        /// What must be.
        free_bytes_min: u64,
    },
    /// Another process has the data directory.
    #[error("the data directory {} is in use by another process", .directory.display())]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// A newer gateway wrote this; only that one or a newer one can read it.
    #[error("{} was written in format {found}; this gateway knows formats up to {known}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest version that this build knows.
        known: u64,
    },
    /// The operating system refused a read, a write or a call on a directory.
    #[error("cannot {operation} {}: {source}", .path.display())]
    System {
        /// What was tried.
        operation: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs what reads or writes sled, which panics on some damage that it finds only then.
///
/// # Errors
/// Those of `work`; [`Fault::Index`] for a panic.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let worked = panic::catch_unwind(AssertUnwindSafe(work));
    worked.unwrap_or_else(|_| Err(Fault::Index("sled panicked".to_owned())))
}

impl Fault {
    /// For `map_err`: what was tried, and on which path.
    pub(super) fn system(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Fault {
        move |source| Fault::System {
            operation,
            path: path.to_owned(),
            source,
        }
    }

    /// The same of bytes that were kept: what the disk does not give back, or no longer has, will not come by itself.
    pub(super) fn kept(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Fault {
        move |source| {
            let is_lost =
                source.kind() == io::ErrorKind::NotFound || source.raw_os_error() == Some(DISK_ERROR);
            if is_lost {
                Fault::damaged(path, 0, format!("cannot {operation} it: {source}"))
            } else {
                Fault::system(operation, path)(source)
            }
        }
    }

    pub(super) fn damaged(path: &Path, offset: u64, what: impl Into<String>) -> Fault {
        Fault::Damaged {
            path: path.to_owned(),
            offset,
            what: what.into(),
        }
    }

    /// Whether the same may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        match self {
            Fault::Full { .. } | Fault::Index(_) | Fault::System { .. } => true,
            Fault::Damaged { .. } | Fault::Locked { .. } | Fault::Newer { .. } => false,
        }
    }
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Fault {
        Fault::Index(error.to_string())
    }
}

impl From<Fault> for StoreFault {
    fn from(fault: Fault) -> StoreFault {
        if fault.is_transient() {
            StoreFault::NotNow(fault.to_string())
        } else {
            StoreFault::Damaged(fault.to_string())
        }
    }
}
