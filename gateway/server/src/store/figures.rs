//! What the store counts, for metrics and for tests of its own promises.
//!
//! **Invariant:** counters only ever rise, from the start of the process on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters that the writer and the readers raise.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) events: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) conflicts: AtomicU64,
    pub(super) refusals: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) originals: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) sync_nanos: AtomicU64,
    pub(super) rebuilds: AtomicU64,
    pub(super) replayed: AtomicU64,
    pub(super) missing: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    pub(super) fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    /// Counts one fdatasync.
    pub(super) fn synced(&self, took: Duration) {
        Self::add(&self.syncs, 1);
        Self::add(
            &self.sync_nanos,
            u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
        );
    }
}

/// What the store has done since it was opened, and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreFigures {
    /// Events recorded.
    pub events: u64,
    /// Commits made durable.
    pub commits: u64,
    /// Commits that conflicted.
    pub conflicts: u64,
    /// Commits that were answered with a fault.
    pub refusals: u64,
    /// Batches that commits were written in.
    pub batches: u64,
    /// Originals written into packs.
    pub originals: u64,
    /// Calls of fdatasync on journal and packs.
    pub syncs: u64,
    /// Time spent in them.
    pub sync_time: Duration,
    /// Commits that wait for the writer.
    pub queue_commits: u64,
    /// Times that the index was made again from the journal.
    pub rebuilds: u64,
    /// Events that were read back into the index.
    pub replayed: u64,
    /// Originals that the journal names and nobody holds, as far as an index was made from it.
    pub missing: u64,
    /// Events in the journal.
    pub journal_events: u64,
    /// Bytes of the index on disk.
    pub index_disk_bytes: u64,
    /// Bytes of all keys and values of the index.
    pub index_live_bytes: u64,
    /// Changes of the index that wait in memory.
    pub index_pending: u64,
}
