//! What keeps documents waiting although the broker is connected and the store takes everything: told by whoever meets it,
//! asked by `/ready`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The troubles of now.
#[derive(Debug, Default)]
pub struct Troubles {
    unreadable: AtomicUsize,
    missing_queues: Mutex<Vec<String>>,
}

impl Troubles {
    /// The bytes of so many due dispatches cannot be read.
    pub fn tell_unreadable(&self, count: usize) {
        self.unreadable.store(count, Ordering::Relaxed);
    }

    /// How many due dispatches could not be read when they were tried last.
    pub fn unreadable(&self) -> usize {
        self.unreadable.load(Ordering::Relaxed)
    }

    /// These queues that all agencies share are not at the broker.
    pub fn tell_missing(&self, queues: Vec<String>) {
        *self.missing_queues.lock().unwrap_or_else(PoisonError::into_inner) = queues;
    }

    /// The queues that all agencies share and that were not at the broker when somebody looked last.
    pub fn missing_queues(&self) -> Vec<String> {
        self.missing_queues
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
