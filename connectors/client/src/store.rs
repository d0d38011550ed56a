//! The store of a connector: one append-only log for outbox and inbox, and the thread that writes it.
//!
//! Stands under outbox and inbox: what [`Store::commit`] returned `Ok` for survives a crash. Many callers share one
//! write and one fdatasync (group commit); several accounts may share one store, as the document system of a province
//! does for its agencies.
//!
//! Space: when a segment is full, the oldest ones are removed; what they still hold of worth is written again first.
//!
//! **Invariant:** state changes only by records, in log order, after they are written ([`book::Book::apply`]).
//! **Invariant:** an fdatasync that failed stops the writer; nothing is told to be stored after it.
//! **Invariant:** one process writes a folder at a time (a lock file is held).

pub(crate) mod book;
mod damage;
pub(crate) mod frame;
pub(crate) mod record;
pub(crate) mod segment;
mod writer;

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use book::Book;
use record::Logged;
use segment::{Replayed, Segments};
use writer::{Job, Writer};

use crate::entering::Claim;

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
}

/// Our trouble with the folder. Never the sender's.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreFault {
    /// Another process writes this folder.
    #[error("another connector runs on {0}")]
    Locked(PathBuf),
    /// A file operation failed. When it was a write, nothing of it is kept: try again later.
    #[error("cannot {operation} {path}: {error}")]
    File {
        /// What was tried.
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// A record that was stored cannot be read back; at offset 0: the segment is of another version.
    #[error("segment {segment} is damaged at byte {offset}")]
    Damaged {
        /// The segment's number.
        segment: u32,
        /// Where.
        offset: u64,
    },
    /// The writer has ended: an fdatasync failed, or the store was closed. Nothing more is taken until a restart.
    #[error("the store has stopped")]
    Stopped,
}

impl StoreFault {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        match self {
            StoreFault::File { .. } => true,
            StoreFault::Locked(_) | StoreFault::Damaged { .. } | StoreFault::Stopped => false,
        }
    }
}

/// Makes a [`StoreFault::File`] of an I/O error.
pub(crate) fn fault(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreFault {
    let path = path.to_owned();
    move |error| StoreFault::File {
        operation,
        path,
        error: Arc::new(error),
    }
}

/// How a store uses its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// A segment that has grown beyond this is followed by the next.
    pub segment_bytes_max: u64,
    /// At least this long between two fdatasyncs under load. An idle store writes at once.
    pub commit_interval: Duration,
    /// How long dispatch ids are remembered, to drop repeats.
    pub remember: Duration,
    /// How many at most, each account.
    pub remember_ids_max: usize,
}

impl Default for StoreLimits {
    fn default() -> StoreLimits {
        StoreLimits {
            segment_bytes_max: 64 << 20,
            commit_interval: Duration::from_millis(5),
            remember: Duration::from_secs(30 * 86_400),
            remember_ids_max: 1_000_000,
        }
    }
}

/// Where it is tried whether something can be written.
const ROOM_FILE: &str = "room";
/// What is left to others meanwhile, in bytes: submissions go on.
const ROOM_RESERVE: u64 = 1 << 20;

/// See the module. Cloned handles share one writer; the last one ends it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    folder: PathBuf,
    _lock: File,
}

impl Drop for Inner {
    /// The lock of the folder goes only after the writer has ended.
    fn drop(&mut self) {
        self.end_writer();
    }
}

impl Inner {
    /// Ends the writer after what was given to it.
    fn end_writer(&self) {
        drop(self.jobs.lock().expect("no code under this lock panics").take());
        let thread = self.thread.lock().expect("no code under this lock panics").take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer of the store panicked");
        }
    }
}

/// What the writer and the readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) book: Mutex<Book>,
    pub(crate) segments: Segments,
    pub(crate) limits: StoreLimits,
    /// Places of the log that were damaged when it was opened.
    damaged: usize,
}

impl Store {
    /// Opens a folder (made when missing), reads its log and starts the writer.
    ///
    /// # Errors
    /// [`StoreFault`]: another process has it, it cannot be read, or a segment is of another version.
    pub fn open(folder: &Path, limits: StoreLimits) -> Result<Store, StoreFault> {
        make_folder(folder)?;
        let lock = lock(folder)?;
        let segments = Segments::open(&folder.join("log"))?;
        let mut book = Book::default();
        let Replayed { head, damaged } = segments.replay(|logged, place| book.apply(logged, place))?;
        let shared = Arc::new(Shared {
            book: Mutex::new(book),
            segments,
            limits,
            damaged,
        });
        let (jobs, receiver) = mpsc::channel(4_096);
        let writer = Writer::new(Arc::clone(&shared), head);
        let thread = std::thread::Builder::new()
            .name("connector-log".to_owned())
            .spawn(move || writer.run(receiver))
            .map_err(fault("start the writer of", folder))?;
        let inner = Inner {
            jobs: Mutex::new(Some(jobs)),
            shared,
            thread: Mutex::new(Some(thread)),
            folder: folder.to_owned(),
            _lock: lock,
        };
        Ok(Store {
            inner: Arc::new(inner),
        })
    }

    /// Whether so many bytes can be written now, and some more for others. Tried, too: rights, quotas and a failing disk stand
    /// in no figure of the system.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let needed = u64::try_from(bytes)
            .unwrap_or(u64::MAX)
            .saturating_add(ROOM_RESERVE);
        let is_free = rustix::fs::statvfs(&self.inner.folder)
            .is_ok_and(|found| needed <= found.f_bavail.saturating_mul(found.f_frsize));
        if !is_free {
            return false;
        }
        let path = self.inner.folder.join(ROOM_FILE);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let tried = File::create(&path).and_then(|mut file| {
            io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
            file.sync_all()
        });
        // What stays is written over the next time.
        let _ = std::fs::remove_file(&path);
        tried.is_ok()
    }

    fn jobs(&self) -> Result<mpsc::Sender<Job>, StoreFault> {
        let jobs = self.inner.jobs.lock().expect("no code under this lock panics");
        jobs.clone().ok_or(StoreFault::Stopped)
    }

    /// Writes records in this order; all are on disk and in the state when this returns.
    pub(crate) async fn commit(&self, records: Vec<Logged>) -> Result<(), StoreFault> {
        self.commit_claimed(records, None).await
    }

    /// The same of ids that are claimed until then, also where nobody waits for it any more.
    pub(crate) async fn commit_claimed(
        &self,
        records: Vec<Logged>,
        claim: Option<Claim>,
    ) -> Result<(), StoreFault> {
        let (answer, done) = oneshot::channel();
        let job = Job {
            records,
            answer: Some(answer),
            claim,
        };
        self.jobs()?.send(job).await.map_err(|_| StoreFault::Stopped)?;
        done.await.map_err(|_| StoreFault::Stopped)?
    }

    /// Writes records without bodies, whose loss only costs a repetition: on disk with the next commit.
    pub(crate) async fn note(&self, records: Vec<Logged>) -> Result<(), StoreFault> {
        let job = Job {
            records,
            answer: None,
            claim: None,
        };
        self.jobs()?.send(job).await.map_err(|_| StoreFault::Stopped)
    }

    /// How many places of the log were damaged when it was opened, and the folder in which what is left of them lies. A
    /// person is to see to it; everything else goes on.
    pub fn damage(&self) -> Option<(usize, &Path)> {
        let shared = &self.inner.shared;
        (shared.damaged > 0).then(|| (shared.damaged, shared.segments.folder()))
    }

    /// Sets a record aside that cannot be read back.
    pub(crate) fn set_record_aside(&self, place: Place) -> Result<PathBuf, StoreFault> {
        self.inner.shared.segments.set_record_aside(place)
    }

    /// Whether the writer has ended: nothing more is kept until a restart.
    pub(crate) fn is_stopped(&self) -> bool {
        self.jobs().is_ok_and(|jobs| jobs.is_closed())
    }

    /// The state.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.inner
            .shared
            .book
            .lock()
            .expect("records are applied without panics")
    }

    /// The record at a place.
    pub(crate) fn read(&self, place: Place) -> Result<Logged, StoreFault> {
        self.inner.shared.segments.read(place)
    }

    /// Writes what waits, and ends the writer. Later commits fail with [`StoreFault::Stopped`].
    pub async fn close(&self) {
        let Ok(jobs) = self.jobs() else { return };
        // Answered only after everything before it is on disk.
        let (answer, done) = oneshot::channel();
        let last = Job {
            records: Vec::new(),
            answer: Some(answer),
            claim: None,
        };
        if jobs.send(last).await.is_ok() {
            let _ = done.await;
        }
        drop(jobs);
        let inner = Arc::clone(&self.inner);
        let ended = tokio::task::spawn_blocking(move || inner.end_writer()).await;
        ended.expect("ending the writer does not panic");
    }
}

/// Makes a folder that its owner alone may look into, and has its name on disk; one that stands stays as it is.
///
/// # Errors
/// [`StoreFault::File`].
pub fn make_folder(folder: &Path) -> Result<(), StoreFault> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    make_folder(parent)?;
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(fault("make folder", folder)(error));
        }
        Ok(()) | Err(_) => {}
    }
    let sync = || File::open(parent)?.sync_all();
    sync().map_err(fault("sync folder", parent))
}

/// Takes the lock of a folder.
fn lock(folder: &Path) -> Result<File, StoreFault> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(fault("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreFault::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(fault("lock", &path)(error)),
    }
}

#[cfg(test)]
mod tests;
