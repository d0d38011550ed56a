//! The embedded store: journal, archive and index in one data directory.
//!
//! Stands under the record stage, which acknowledges nothing before [`domain::port::Journal::append`] has answered,
//! and under every stage that asks what is due, owed or known.
//!
//! ```text
//! append ──▶ queue ──▶ writer ──▶ packs ─fdatasync─▶ journal ─fdatasync─▶ index ──▶ answer
//!                      (one thread, ≤ 256 commits at once)              memory ──settler──▶ sled
//!                                                                           ▲
//!                                                        journal ──replay──┘  after a crash, or from the beginning
//! ```
//!
//! **Invariant:** journal and packs are the truth; the index is derived from them and never has to be trusted.
//! **Invariant:** what was answered with [`Appended::Done`](domain::port::Appended::Done) survives a power cut.

mod fault;
mod figures;
mod file;
mod index;
mod journal;
mod lock;
mod object;
mod pack;
mod ports;
mod projection;
mod rebuild;
mod segment;
mod settler;
mod shared;
mod survey;
#[cfg(test)]
mod tests;
mod writer;

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;
use tokio::sync::Semaphore;
use trust::Time;

pub use self::fault::Fault;
use self::figures::Counters;
pub use self::figures::StoreFigures;
use self::index::{Generations, Tuning};
use self::journal::{Journal, JournalReader};
use self::lock::{DataDirectory, Space};
use self::object::Objects;
use self::pack::{PackReader, Packs};
use self::rebuild::{Ends, Sources};
use self::settler::Settler;
use self::shared::{Shared, Start, fold_directory};
use self::survey::Survey;
use self::writer::{BATCH_COMMITS_MAX, Order, Writer};

/// Where and how a store keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The data directory; made when it is missing.
    pub directory: PathBuf,
    /// A journal segment or pack that has grown so long is followed by another one, in bytes.
    pub segment_bytes_max: u64,
    /// Originals up to this length stand in packs, longer ones in files of their own, in bytes.
    pub inline_bytes_max: usize,
    /// Memory for pages of the index, in bytes.
    pub index_cache_bytes: u64,
    /// Time between writes of the index' own log, in milliseconds.
    pub index_flush_every_ms: u64,
    /// Nothing is taken while less than this is free in the directory, in bytes: sled does not survive a full disk.
    pub free_bytes_min: u64,
    /// Commits that may wait for the writer; further callers wait for a place.
    pub queue_commits_max: usize,
    /// At least this long between two batches under load. An idle store writes at once.
    pub commit_interval: Duration,
    /// What load is: so many commits in one batch.
    pub interval_from_commits: usize,
}

impl StoreConfig {
    /// The defaults, in this directory: 64 MiB a segment, 1 MiB inline, 32 MiB of index cache,
    /// 16 MiB kept free, 1024 commits waiting, 5 ms between batches of 16 commits or more.
    pub fn at(directory: impl Into<PathBuf>) -> StoreConfig {
        StoreConfig {
            directory: directory.into(),
            segment_bytes_max: 64 << 20,
            inline_bytes_max: 1 << 20,
            index_cache_bytes: 32 << 20,
            index_flush_every_ms: 500,
            free_bytes_min: 16 << 20,
            queue_commits_max: 1024,
            commit_interval: Duration::from_millis(5),
            interval_from_commits: 16,
        }
    }
}

/// Journal and archive in one data directory. A clone is another handle on the same store.
///
/// The directory is given back when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // Fields are dropped in this order: the index closes before the directory is given back.
    shared: Arc<Shared>,
    inline_bytes_max: usize,
    orders: Sender<Order>,
    queue: Arc<Semaphore>,
    queue_commits_max: usize,
    writer: Mutex<Option<JoinHandle<()>>>,
    _directory: DataDirectory,
}

impl Store {
    /// Opens the store: takes the directory, cuts off what a crash left at the ends, brings the index up to date or
    /// makes it again, and starts the writer. `clock` tells the present time.
    ///
    /// Blocks while it reads: seconds after a crash, minutes for an index of millions of documents.
    ///
    /// # Errors
    /// [`Fault::Locked`] when another process has the directory; [`Fault::Newer`] when a newer gateway wrote it;
    /// [`Fault::Damaged`] when journal or packs hold what no crash explains.
    pub fn open(config: &StoreConfig, clock: impl Fn() -> Time + Send + 'static) -> Result<Store, Fault> {
        let directory = DataDirectory::take(&config.directory)?;
        let tuning = Tuning {
            cache_bytes: config.index_cache_bytes,
            flush_every_ms: config.index_flush_every_ms,
        };
        let sources = Sources {
            journal: JournalReader::new(directory.journal()),
            packs: PackReader::new(directory.packs()),
            objects: directory.objects(),
            missing: directory.missing(),
            generations: Generations::new(directory.index()),
            tuning,
            closing: Arc::new(AtomicBool::new(false)),
            hurry: Arc::new(AtomicBool::new(true)),
        };
        let survey = Survey::of(&directory.journal())?;
        sources.check_torn(&survey)?;
        let journal = Journal::open(&survey, config.segment_bytes_max)?;
        let packs = Packs::open(&directory.packs(), config.segment_bytes_max)?;
        let counters = Counters::default();
        let ends = Ends {
            tip: journal.tip(),
            packs: packs.end(),
        };
        let index = sources.open_index(ends, &counters)?;
        let start = Start {
            directory: fold_directory(&sources, &index)?,
            index,
            ends,
        };
        let space = Space::new(config.directory.clone(), config.free_bytes_min);
        let objects = Objects::open(&directory.objects(), space.clone())?;
        let shared = Arc::new(Shared::new(sources, objects, counters, start));
        let (orders, inbox) = crossbeam_channel::unbounded();
        let settler = Settler::start(orders.clone())
            .map_err(Fault::system("start the settler of", &config.directory))?;
        let writer = Writer {
            shared: Arc::clone(&shared),
            journal,
            packs,
            clock: Box::new(clock),
            commit_interval: config.commit_interval,
            interval_from_commits: config.interval_from_commits,
            batch_commits_max: config.queue_commits_max.min(BATCH_COMMITS_MAX),
            batch_commits: 0,
            committed_at: None,
            orders: inbox,
            reply: orders.clone(),
            stopped: None,
            closing: false,
            rebuild: None,
            rebuild_failed: None,
            space,
            settler,
        };
        let spawned = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run_writer(writer));
        let handle = spawned.map_err(Fault::system("start the writer of", &config.directory))?;
        Ok(Store(Arc::new(Inner {
            shared,
            inline_bytes_max: config.inline_bytes_max,
            orders,
            queue: Arc::new(Semaphore::new(config.queue_commits_max)),
            queue_commits_max: config.queue_commits_max,
            writer: Mutex::new(Some(handle)),
            _directory: directory,
        })))
    }

    /// Writes what waits, and ends the writer. Later commits are answered with
    /// [`StoreFault::Stopped`](domain::port::StoreFault::Stopped); questions are still answered. Blocks meanwhile.
    pub fn close(&self) {
        self.0.close();
    }

    /// Why nothing can be written now although the writer works: too little space is free.
    pub fn short_of_space(&self) -> Option<String> {
        self.0
            .shared
            .objects
            .space()
            .check()
            .err()
            .map(|fault| fault.to_string())
    }

    /// Bytes free where the data lies; none when the system does not say.
    pub fn free_bytes(&self) -> u64 {
        self.0.shared.objects.space().free_bytes().unwrap_or_default()
    }

    /// Why nothing more is taken before a restart; `None` while the store works.
    pub fn stopped(&self) -> Option<String> {
        self.0.shared.stopped()
    }

    /// Originals that the journal names and that were not there at the last rebuild.
    pub fn missing(&self) -> u64 {
        Counters::read(&self.0.shared.counters.missing)
    }

    /// What the store has done and how it stands.
    pub fn figures(&self) -> StoreFigures {
        let Inner {
            shared,
            queue,
            queue_commits_max,
            ..
        } = &*self.0;
        let (counters, index) = (&shared.counters, shared.index());
        // A size that cannot be read now is told as none.
        let (index_disk_bytes, index_live_bytes) = index.sizes().unwrap_or_default();
        StoreFigures {
            events: Counters::read(&counters.events),
            commits: Counters::read(&counters.commits),
            conflicts: Counters::read(&counters.conflicts),
            refusals: Counters::read(&counters.refusals),
            batches: Counters::read(&counters.batches),
            originals: Counters::read(&counters.originals),
            syncs: Counters::read(&counters.syncs),
            sync_time: Duration::from_nanos(Counters::read(&counters.sync_nanos)),
            queue_commits: (queue_commits_max - queue.available_permits().min(*queue_commits_max)) as u64,
            rebuilds: Counters::read(&counters.rebuilds),
            missing: self.missing(),
            replayed: Counters::read(&counters.replayed),
            journal_events: shared.ends().tip.position,
            index_disk_bytes,
            index_live_bytes,
            index_pending: index.pending_entries() as u64,
        }
    }
}

/// Runs the writer to its end. A bug that ends it is told, so that nobody waits for it.
fn run_writer(writer: Writer) {
    let shared = Arc::clone(&writer.shared);
    if panic::catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
        shared.stop("the writer met a bug");
        tracing::error!("the writer met a bug; restart the gateway");
    }
}

impl Inner {
    fn close(&self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A writer that is gone already has nothing left to write.
            let _ = self.orders.send(Order::Close);
            let _ = writer.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
