//! The broker's epochs that this gateway ever gave: by one of them a broker is known as its own.
//!
//! **Invariant:** the file has one reader and writer in a running gateway, and is read once.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::AppFault;
use super::provision::write_secret;

/// The file in the data folder that names the broker's epochs.
pub const EPOCH_FILE: &str = "broker-epoch";
/// Epochs that stay known. One ends when a broker loses its disk.
const EPOCHS_MAX: usize = 64;

/// The names of the epochs, the newest first; none before a broker was ever set up.
#[derive(Debug)]
pub struct Epochs {
    data_dir: PathBuf,
    known: Mutex<Arc<[String]>>,
}

impl Epochs {
    /// Those of this data folder.
    ///
    /// # Errors
    /// [`AppFault::Epochs`].
    pub fn open(data_dir: &Path) -> Result<Epochs, AppFault> {
        let path = data_dir.join(EPOCH_FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(AppFault::Epochs { path, error }),
            Ok(text) => text,
        };
        let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
        Ok(Epochs {
            data_dir: data_dir.to_owned(),
            known: Mutex::new(names.map(str::to_owned).collect()),
        })
    }

    /// A name for a new epoch.
    pub fn new_name() -> String {
        uuid::Uuid::now_v7().simple().to_string()
    }

    /// All of them, the newest first.
    pub fn known(&self) -> Arc<[String]> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&known)
    }

    /// Remembers an epoch as the newest. To be called after the loss of the one before is journaled, and before the broker
    /// is marked. The others stay known: a broker that bears one of them is this gateway's.
    ///
    /// # Errors
    /// Of writing; what was known stays so.
    pub fn remember(&self, epoch: &str) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.first().is_some_and(|newest| newest == epoch) {
            return Ok(());
        }
        let others = known.iter().filter(|one| *one != epoch).cloned();
        let epochs: Vec<String> = std::iter::once(epoch.to_owned())
            .chain(others)
            .take(EPOCHS_MAX)
            .collect();
        write_secret(&self.data_dir, EPOCH_FILE, &epochs.join("\n"))?;
        *known = epochs.into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_known_the_newest_first_also_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let epochs = Epochs::open(folder.path()).expect("no file is no epoch");
        assert!(epochs.known().is_empty());
        for name in ["a", "b", "a", "a", "c"] {
            epochs.remember(name).expect("written");
        }
        assert_eq!(*epochs.known(), ["c", "a", "b"]);
        let again = Epochs::open(folder.path()).expect("a file");
        assert_eq!(again.known(), epochs.known());
    }

    #[test]
    fn the_oldest_is_forgotten_at_the_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let epochs = Epochs::open(folder.path()).expect("no file is no epoch");
        for number in 0..=EPOCHS_MAX {
            epochs.remember(&number.to_string()).expect("written");
        }
        let known = epochs.known();
        assert_eq!(known.len(), EPOCHS_MAX);
        assert_eq!((known[0].as_str(), known[EPOCHS_MAX - 1].as_str()), ("64", "1"));
    }

    #[test]
    fn what_cannot_be_written_is_not_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let epochs = Epochs::open(folder.path()).expect("no file is no epoch");
        folder.close().expect("removed");
        assert!(epochs.remember("a").is_err());
        assert!(epochs.known().is_empty());
    }
}
