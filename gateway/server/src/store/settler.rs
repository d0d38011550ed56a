//! The thread that settles the index beside the writer, so that nothing that is recorded waits for sled.
//!
//! **Invariant:** what cannot be settled stays in memory, where readers find it; nothing is given up here.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::fault::{Fault, guarded};
use super::index::Index;
use super::writer::Order;

/// Pause after every few entries: settling has time, and the processors have other work.
const SETTLE_PAUSE: Duration = Duration::from_micros(500);
/// Pause after a disk that had no room.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A handle on the thread; dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Settler {
    indexes: Option<Sender<Arc<Index>>>,
    thread: Option<JoinHandle<()>>,
}

impl Settler {
    /// Starts it. `writer` is told when the index must be made again.
    ///
    /// # Errors
    /// No thread.
    pub(super) fn start(writer: Sender<Order>) -> io::Result<Settler> {
        // One that is being settled and its successor.
        let (indexes, inbox) = bounded(2);
        let thread = std::thread::Builder::new()
            .name("index-settler".to_owned())
            .spawn(move || work(&inbox, &writer))?;
        Ok(Settler {
            indexes: Some(indexes),
            thread: Some(thread),
        })
    }

    /// Has what an index took for settling written into its tree.
    pub(super) fn settle(&self, index: Arc<Index>) {
        let indexes = self.indexes.as_ref().expect("taken only by drop");
        // The thread ends only with this handle; were it gone, the writer would settle at the index's limit.
        let _ = indexes.send(index);
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        drop(self.indexes.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(inbox: &Receiver<Arc<Index>>, writer: &Sender<Order>) {
    let mut next = inbox.recv().ok();
    while let Some(index) = next.take() {
        next = match guarded(|| index.settle_begun(SETTLE_PAUSE)) {
            Ok(()) => inbox.recv().ok(),
            Err(fault @ Fault::Index(_)) => {
                tracing::error!(%fault, "the index cannot be written");
                // A writer that is gone has no use for an index.
                let _ = writer.send(Order::Mend(index));
                inbox.recv().ok()
            }
            Err(fault) => {
                tracing::warn!(%fault, "the index is settled later");
                match inbox.recv_timeout(RETRY_PAUSE) {
                    Ok(newer) => Some(newer),
                    Err(RecvTimeoutError::Timeout) => Some(index),
                    Err(RecvTimeoutError::Disconnected) => None,
                }
            }
        };
    }
}
