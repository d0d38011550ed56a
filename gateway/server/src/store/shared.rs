//! What the writer publishes and every reader looks at.
//!
//! **Invariant:** only the writer publishes, and only what is durable.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use domain::directory::Directory;
use trust::Digest;

use super::fault::Fault;
use super::figures::Counters;
use super::index::Index;
use super::object::Objects;
use super::rebuild::{Ends, Sources};

/// Seen by all.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) sources: Sources,
    pub(super) objects: Objects,
    pub(super) counters: Counters,
    index: RwLock<Arc<Index>>,
    directory: RwLock<Arc<Directory>>,
    ends: RwLock<Ends>,
    recent: RwLock<Recent>,
}

/// Events whose predecessors' chain is kept in memory: receipts are issued soon after their event.
const RECENT_MAX: usize = 1 << 14;

/// The chain before each of the newest events.
#[derive(Debug)]
struct Recent {
    /// Position of the first one.
    first: u64,
    befores: VecDeque<Digest>,
}

fn read<T: Clone>(lock: &RwLock<T>) -> T {
    // Values are replaced whole: a thread that died with the lock left a sound one.
    lock.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn replace<T>(lock: &RwLock<T>, value: T) -> T {
    std::mem::replace(&mut *lock.write().unwrap_or_else(PoisonError::into_inner), value)
}

impl Shared {
    pub(super) fn new(sources: Sources, objects: Objects, counters: Counters, start: Start) -> Shared {
        Shared {
            sources,
            objects,
            counters,
            index: RwLock::new(Arc::new(start.index)),
            directory: RwLock::new(Arc::new(start.directory)),
            recent: RwLock::new(Recent {
                first: start.ends.tip.position + 1,
                befores: VecDeque::new(),
            }),
            ends: RwLock::new(start.ends),
        }
    }

    pub(super) fn index(&self) -> Arc<Index> {
        read(&self.index)
    }

    pub(super) fn directory(&self) -> Arc<Directory> {
        read(&self.directory)
    }

    pub(super) fn ends(&self) -> Ends {
        read(&self.ends)
    }

    /// What a batch came to.
    pub(super) fn publish(&self, ends: Ends, directory: Arc<Directory>, befores: Vec<Digest>) {
        if !Arc::ptr_eq(&self.directory(), &directory) {
            replace(&self.directory, directory);
        }
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        recent.befores.extend(befores);
        let old = recent.befores.len().saturating_sub(RECENT_MAX);
        recent.befores.drain(..old);
        recent.first += old as u64;
        drop(recent);
        replace(&self.ends, ends);
    }

    /// The chain before the event at this position, if it is one of the newest.
    pub(super) fn recent_before(&self, position: u64) -> Option<Digest> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let place = usize::try_from(position.checked_sub(recent.first)?).ok()?;
        recent.befores.get(place).copied()
    }

    /// Puts another index in the place of the present one, which is given back.
    pub(super) fn replace_index(&self, index: Index) -> Arc<Index> {
        replace(&self.index, Arc::new(index))
    }
}

/// What a store begins with.
pub(super) struct Start {
    pub(super) index: Index,
    pub(super) directory: Directory,
    pub(super) ends: Ends,
}

/// The directory as the changes in the journal make it.
pub(super) fn fold_directory(sources: &Sources, index: &Index) -> Result<Directory, Fault> {
    let changes = index.view().directory_changes()?;
    let mut directory = Directory::new();
    for (position, location) in changes {
        let recorded = sources.journal.read(position, location)?;
        if let domain::event::Happening::DirectoryChanged(change) = &recorded.event.happening {
            let changed = directory.apply(change, recorded.event.time);
            directory = changed.map_err(|fault| sources.journal.contradicts(location, &fault))?;
        }
    }
    Ok(directory)
}
