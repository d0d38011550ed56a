//! The index: what the journal amounts to, in sled, so that questions are answered without reading the journal.
//!
//! Newest changes wait in memory until there are enough of them for one batch: what came and went in the meantime
//! (a dispatch that was due and is handed over) never reaches the tree. Losing them in a crash loses nothing, because
//! the place of the journal that the tree has reached is stored in the same batch.
//!
//! **Invariant:** derived. It is never trusted: missing, unreadable, ahead or of another version, it is made again.
//! **Invariant:** one tree and one batch at a time, because sled's batches are atomic within one tree only; values stay
//! under 4 KB; `flush_async` is never called (it deadlocks in 0.34.7).

pub(super) mod key;
mod query;
pub(super) mod value;
pub(super) mod view;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use sled::Batch;

use self::value::{Applied, FORMAT, Value};
use self::view::{Changes, View};
use super::fault::Fault;

/// Changes kept in memory before they go into the tree: enough to let short-lived entries vanish, few enough that
/// the batch, during which sled answers nobody, takes milliseconds.
const PENDING_MAX: usize = 1024;
/// An index that takes more than this many times its live bytes is made again (a fresh one takes up to twice).
const GROWN_TIMES: u64 = 3;
/// Below this size nobody minds, in bytes.
const GROWN_BYTES_MIN: u64 = 256 << 20;
/// Marks an index that was found damaged while it served: the next start makes it again.
const MARKER: &str = "damaged";
/// How long an earlier handle of this process may keep the lock on the index.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);

/// How sled is to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Bytes of pages kept in memory.
    pub(super) cache_bytes: u64,
    /// Milliseconds between writes of sled's own log.
    pub(super) flush_every_ms: u64,
}

/// What is not in the tree yet, and the place of the journal with it.
#[derive(Debug)]
pub(super) struct Pending {
    changes: Changes,
    applied: Applied,
}

/// An open index.
#[derive(Debug)]
pub(super) struct Index {
    /// `None` only while it is being dropped.
    db: Option<sled::Db>,
    pending: RwLock<Pending>,
    path: PathBuf,
    doomed: AtomicBool,
}

impl Index {
    /// Opens the index in this folder, or an empty one.
    ///
    /// # Errors
    /// [`Fault::Index`] when sled fails or panics, or what is there was written by another version.
    pub(super) fn open(path: &Path, tuning: Tuning) -> Result<Index, Fault> {
        let db = open_sled(path.to_owned(), tuning)?;
        let applied = match db.get(key::APPLIED)? {
            Some(bytes) if bytes.first() != Some(&FORMAT) => {
                return Err(Fault::Index("written by another version".to_owned()));
            }
            Some(bytes) => Applied::from_bytes(&bytes)?,
            None if db.is_empty() => Applied::START,
            None => return Err(Fault::Index("it does not tell how far it has come".to_owned())),
        };
        let pending = RwLock::new(Pending {
            changes: Changes::default(),
            applied,
        });
        Ok(Index {
            db: Some(db),
            pending,
            path: path.to_owned(),
            doomed: AtomicBool::new(false),
        })
    }

    fn db(&self) -> &sled::Db {
        self.db.as_ref().expect("taken only by drop")
    }

    /// How far the index has come, changes in memory included.
    pub(super) fn applied(&self) -> Applied {
        self.pending
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .applied
    }

    /// A consistent look.
    pub(super) fn view(&self) -> View<'_> {
        // Poison says that a thread died while it held the lock; changes are taken over whole, so they are sound.
        View::new(
            self.pending.read().unwrap_or_else(PoisonError::into_inner),
            self.db(),
        )
    }

    /// Takes changes over, which bring the index to `applied`. `applied.live_bytes` is counted here.
    pub(super) fn absorb(&self, changes: Changes, applied: Applied) {
        let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
        let live = pending
            .applied
            .live_bytes
            .saturating_add_signed(changes.live_bytes());
        pending.applied = Applied {
            live_bytes: live,
            ..applied
        };
        pending.changes.absorb(changes);
    }

    /// Whether there is enough in memory for a batch.
    pub(super) fn is_full(&self) -> bool {
        PENDING_MAX <= self.pending_entries()
    }

    /// Entries in memory.
    pub(super) fn pending_entries(&self) -> usize {
        self.pending
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .changes
            .len()
    }

    /// Writes what is in memory into the tree, as one batch. Only the writer calls this and [`Index::absorb`].
    pub(super) fn settle(&self) -> Result<(), Fault> {
        let mut batch = Batch::default();
        {
            let pending = self.pending.read().unwrap_or_else(PoisonError::into_inner);
            for (key, value) in pending.changes.entries() {
                match value {
                    Some(value) => batch.insert(key.as_slice(), value.clone()),
                    None => batch.remove(key.as_slice()),
                }
            }
            batch.insert(key::APPLIED, pending.applied.to_bytes());
        }
        // Readers go on meanwhile: they find in memory what is on its way into the tree.
        self.db().apply_batch(batch)?;
        self.pending
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .changes = Changes::default();
        Ok(())
    }

    /// Writes what is in memory into the tree entry by entry, in the order of the keys: several times as fast as one
    /// batch, and not atomic. For an index in the making, which does not tell yet how far it has come.
    pub(super) fn settle_apart(&self) -> Result<(), Fault> {
        {
            let pending = self.pending.read().unwrap_or_else(PoisonError::into_inner);
            for (key, value) in pending.changes.entries() {
                match value {
                    Some(value) => self.db().insert(key, value)?,
                    None => self.db().remove(key)?,
                };
            }
        }
        self.pending
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .changes = Changes::default();
        Ok(())
    }

    /// Bytes on disk, and bytes of all keys and values.
    pub(super) fn sizes(&self) -> Result<(u64, u64), Fault> {
        Ok((self.db().size_on_disk()?, self.applied().live_bytes))
    }

    /// Whether so much space is lost that it should be made again: sled gives nothing back (measured: 966 MB for 100 MB
    /// live after five overwrites).
    pub(super) fn has_grown(&self) -> Result<bool, Fault> {
        let (disk, live) = self.sizes()?;
        Ok(GROWN_BYTES_MIN < disk && live.saturating_mul(GROWN_TIMES) < disk)
    }

    /// Writes sled's own log out, for a start without replay after a clean end.
    pub(super) fn flush(&self) -> Result<(), Fault> {
        self.db().flush()?;
        Ok(())
    }

    /// Leaves a mark that this index is damaged, so that no later start trusts it.
    pub(super) fn mark_damaged(&self) {
        // Best effort: without the mark the damage is found again.
        let _ = fs::write(self.path.join(MARKER), b"");
    }

    /// Has the folder removed when the last user is gone.
    pub(super) fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        drop(self.db.take());
        if self.doomed.load(Ordering::Relaxed)
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "an old index stays");
        }
    }
}

/// Opens sled once an earlier handle of this process has let go of its file: sled gives the lock back from a thread of
/// its own, a moment after the last handle is dropped.
fn open_unlocked(config: &sled::Config) -> sled::Result<sled::Db> {
    let began = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error)) if is_lock(&error) && began.elapsed() < LOCK_WAIT_MAX => {
                thread::sleep(Duration::from_millis(10));
            }
            opened => return opened,
        }
    }
}

/// sled tells a lock that is held by its words only.
fn is_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Opens sled in a thread of its own, because it panics on some damaged files.
fn open_sled(path: PathBuf, tuning: Tuning) -> Result<sled::Db, Fault> {
    if path.join(MARKER).exists() {
        return Err(Fault::Index("it was found damaged while it served".to_owned()));
    }
    let open = move || {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(tuning.cache_bytes)
            .flush_every_ms(Some(tuning.flush_every_ms))
            .mode(sled::Mode::HighThroughput);
        panic::catch_unwind(AssertUnwindSafe(|| open_unlocked(&config)))
    };
    let opener = thread::Builder::new().name("index-open".to_owned()).spawn(open);
    let opener = opener.map_err(|error| Fault::Index(format!("no thread to open it: {error}")))?;
    match opener.join() {
        Ok(Ok(Ok(db))) => Ok(db),
        Ok(Ok(Err(error))) => Err(error.into()),
        Ok(Err(_)) | Err(_) => Err(Fault::Index("sled panicked when it opened".to_owned())),
    }
}

/// The folders of an index: one a generation, so that a new one grows beside the one that serves.
#[derive(Debug, Clone)]
pub(super) struct Generations {
    directory: PathBuf,
}

impl Generations {
    pub(super) fn new(directory: PathBuf) -> Generations {
        Generations { directory }
    }

    /// Numbers of the folders there are, ascending. An unfinished newer one stands behind the one that served.
    pub(super) fn list(&self) -> Result<Vec<u64>, Fault> {
        super::file::numbered(&self.directory, "sled")
    }

    /// The folder of a generation.
    pub(super) fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:08}.sled"))
    }

    /// Removes a generation that nobody has open.
    pub(super) fn remove(&self, number: u64) -> Result<(), Fault> {
        let path = self.path(number);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault::System {
                operation: "remove",
                path,
                source: error,
            }),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The number of the next generation.
    pub(super) fn next(&self) -> Result<u64, Fault> {
        Ok(self.list()?.last().map_or(1, |last| last + 1))
    }
}
