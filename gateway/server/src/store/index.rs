//! The index: what the journal amounts to, in sled, so that questions are answered without reading the journal.
//!
//! Newest changes wait in memory until there are enough of them: what came and went in the meantime (a dispatch that was
//! due and is handed over) never reaches the tree. Losing them in a crash loses nothing, because the tree says up to
//! which event of the journal it tells. Then they are *settled*: written into the tree beside the writer, while readers
//! find them in memory. The writer of the journal never waits for sled.
//!
//! Settling is no batch of sled's, which answers nobody meanwhile and takes the keys in no order; it goes entry by entry
//! in the order of the keys, and [`redo`] makes it atomic.
//!
//! **Invariant:** derived. It is never trusted: missing, unreadable, ahead or of another version, it is made again.
//! **Invariant:** values stay under 4 KB; `flush_async` is never called (it deadlocks in 0.34.7).

mod front;
pub(super) mod key;
mod query;
mod redo;
#[cfg(test)]
mod tests;
pub(super) mod value;
pub(super) mod view;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use self::front::Fronts;
use self::redo::Redo;
use self::value::{Applied, FORMAT, Value};
use self::view::{Changes, View};
use super::fault::Fault;

/// Changes kept in memory before they go into the tree: enough to let short-lived entries vanish.
const PENDING_MAX: usize = 1 << 13;
/// So many make the writer wait until what is being settled is in the tree: sled is slower than the journal then.
const PENDING_LIMIT: usize = 8 * PENDING_MAX;
/// Entries between two pauses of settling.
const SETTLE_AT_ONCE: usize = 64;
/// An index that takes more than this many times its live bytes is made again (a fresh one takes up to twice).
const GROWN_TIMES: u64 = 3;
/// Below this size nobody minds, in bytes: some 200,000 documents.
const GROWN_BYTES_MIN: u64 = 1 << 30;
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
    /// The newest.
    changes: Changes,
    /// What is on its way into the tree.
    settling: Option<Arc<Redo>>,
    /// What the tree tells when that is in.
    begun: Applied,
    /// What it tells when all is in.
    applied: Applied,
    /// Where rows of what is due begin.
    fronts: Fronts,
}

impl Pending {
    /// Takes the newest changes for settling, unless others are on their way.
    fn begin(&mut self) -> bool {
        if self.settling.is_some() {
            return false;
        }
        self.settling = Some(Arc::new(Redo {
            from: self.begun,
            to: self.applied,
            changes: std::mem::take(&mut self.changes),
        }));
        self.begun = self.applied;
        true
    }

    fn len(&self) -> usize {
        self.changes.len() + self.settling.as_ref().map_or(0, |redo| redo.changes.len())
    }
}

/// What the writer is to do after it added to an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// Nothing.
    Room,
    /// Have it settled: [`Index::settle_begun`].
    Begun,
    /// Have it settled at once, and wait for it.
    Full,
}

/// An open index.
#[derive(Debug)]
pub(super) struct Index {
    /// `None` only while it is being dropped.
    db: Option<sled::Db>,
    pending: RwLock<Pending>,
    /// Held by whoever settles.
    settling: Mutex<()>,
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
        let told = match db.get(key::APPLIED)? {
            Some(bytes) if bytes.first() != Some(&FORMAT) => {
                return Err(Fault::Index("written by another version".to_owned()));
            }
            Some(bytes) => Some(Applied::from_bytes(&bytes)?),
            None => None,
        };
        let whole = told.is_some() || db.is_empty();
        let told = told.unwrap_or(Applied::START);
        let index = Index {
            db: Some(db),
            pending: RwLock::new(Pending {
                changes: Changes::default(),
                settling: None,
                begun: told,
                applied: told,
                fronts: Fronts::default(),
            }),
            settling: Mutex::new(()),
            path: path.to_owned(),
            doomed: AtomicBool::new(false),
        };
        match Redo::read(path)? {
            Some(redo) if redo.to == told => {}
            Some(redo) if redo.from == told => index.settle_interrupted(&redo)?,
            Some(_) => return Err(Fault::Index("its redo file belongs to another state".to_owned())),
            None if whole => {}
            None => return Err(Fault::Index("it does not tell how far it has come".to_owned())),
        }
        Ok(index)
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
        pending.fronts.put(changes.put());
        pending.changes.absorb(changes);
    }

    /// Takes what is in memory for settling if there is enough of it.
    pub(super) fn fill(&self) -> Fill {
        let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
        match pending.changes.len() {
            0..PENDING_MAX => Fill::Room,
            _ if pending.begin() => Fill::Begun,
            PENDING_MAX..PENDING_LIMIT => Fill::Room,
            _ => Fill::Full,
        }
    }

    /// Entries in memory.
    pub(super) fn pending_entries(&self) -> usize {
        self.pending.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Writes all that is in memory into the tree.
    ///
    /// # Errors
    /// [`Fault::System`] when the redo file cannot be written: nothing has happened. [`Fault::Index`] when sled fails.
    pub(super) fn settle(&self) -> Result<(), Fault> {
        self.settle_begun(Duration::ZERO)?;
        self.pending
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .begin();
        self.settle_begun(Duration::ZERO)
    }

    /// Writes what [`Index::fill`] took into the tree, with this pause after every few entries; waits for whoever does so
    /// already.
    ///
    /// # Errors
    /// As [`Index::settle`].
    pub(super) fn settle_begun(&self, pause: Duration) -> Result<(), Fault> {
        let _settling = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = self
            .pending
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .settling
            .clone();
        let Some(redo) = begun else { return Ok(()) };
        redo.write(&self.path)?;
        self.put_all(&redo.changes, pause)?;
        self.tell(redo.to)?;
        self.pending
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .settling = None;
        Ok(())
    }

    /// Ends what an earlier process had begun: it may have written any part of it.
    fn settle_interrupted(&self, redo: &Redo) -> Result<(), Fault> {
        self.put_all(&redo.changes, Duration::ZERO)?;
        self.tell(redo.to)?;
        let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
        (pending.begun, pending.applied) = (redo.to, redo.to);
        Ok(())
    }

    fn put_all(&self, changes: &Changes, pause: Duration) -> Result<(), Fault> {
        for (number, (key, value)) in changes.entries().enumerate() {
            match value {
                Some(value) => self.db().insert(key, value)?,
                None => self.db().remove(key)?,
            };
            if number % SETTLE_AT_ONCE == SETTLE_AT_ONCE - 1 && !pause.is_zero() {
                thread::sleep(pause);
            }
        }
        Ok(())
    }

    /// Has the tree tell how far it has come, durably, so that the redo file may be written anew.
    fn tell(&self, applied: Applied) -> Result<(), Fault> {
        self.db().insert(key::APPLIED, applied.to_bytes())?;
        self.flush()
    }

    /// Writes what is in memory into the tree without a redo file. For an index in the making, which nobody reads and
    /// which does not tell yet how far it has come.
    pub(super) fn settle_apart(&self) -> Result<(), Fault> {
        let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
        self.put_all(&std::mem::take(&mut pending.changes), Duration::ZERO)
    }

    /// Bytes on disk, and bytes of all keys and values.
    pub(super) fn sizes(&self) -> Result<(u64, u64), Fault> {
        Ok((self.db().size_on_disk()?, self.applied().live_bytes))
    }

    /// How many bytes another one would take at most, where so much space is lost that it should be made again: sled gives
    /// nothing back (measured: 966 MB for 100 MB live after five overwrites).
    pub(super) fn has_grown(&self) -> Result<Option<u64>, Fault> {
        let (disk, live) = self.sizes()?;
        let another = live.saturating_mul(GROWN_TIMES);
        Ok((GROWN_BYTES_MIN < disk && another < disk).then_some(another))
    }

    /// Makes the tree durable. sled's own flush writes its log without fsync.
    pub(super) fn flush(&self) -> Result<(), Fault> {
        self.db().flush()?;
        // What an error leaves on disk nobody knows: the index is made again.
        fs::File::open(self.path.join("db"))
            .and_then(|log| log.sync_all())
            .map_err(|error| Fault::Index(format!("its log cannot be made durable: {error}")))
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

    /// Has the folder stay after all.
    pub(super) fn spare(&self) {
        self.doomed.store(false, Ordering::Relaxed);
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
