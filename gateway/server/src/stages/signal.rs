//! Signals between stages: that there is work, never the work itself.
//!
//! **Invariant:** bounded: a set of addressees, a flag, a queue that drops what it cannot hold because the index
//! knows it too.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::consequence::Owed;
use domain::ids::{AccountId, AgencyId, DispatchId};
use domain::port::Recorded;
use tokio::sync::{Notify, mpsc};

/// Receipts on their way from record to tell at most; what is more is found in the index.
const OWED_MAX: usize = 4096;
/// Settled dispatches on their way from settle to dispatch at most.
const SETTLED_MAX: usize = 16_384;

/// A set of addressees with something due, and who waits for it.
#[derive(Debug, Default)]
pub struct DueSet {
    agencies: Mutex<BTreeSet<AgencyId>>,
    notify: Notify,
}

impl DueSet {
    /// Something is due for this addressee.
    pub fn add(&self, agencies: impl IntoIterator<Item = AgencyId>) {
        self.agencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(agencies);
        self.notify.notify_one();
    }

    /// Waits until somebody has something due, and takes all of them.
    pub async fn take(&self) -> BTreeSet<AgencyId> {
        loop {
            let waiting = self.notify.notified();
            let taken = std::mem::take(&mut *self.agencies.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken;
            }
            waiting.await;
        }
    }
}

/// A receipt that is owed for an event just recorded.
#[derive(Debug, Clone)]
pub struct OwedNow {
    /// The event.
    pub about: Recorded,
    /// What is owed for it.
    pub owed: Owed,
}

/// What dispatch is told by others.
#[derive(Debug, Clone)]
pub enum DispatchNews {
    /// These are no longer in an inbox.
    Settled(Vec<DispatchId>),
    /// This was given up: it is tried no more. If it lies in an inbox, it keeps its place there.
    GivenUp(DispatchId),
    /// These were given up and are due again: what of them lies in an inbox still has no place there any more.
    DueAgain(Vec<DispatchId>),
    /// The broker lost what it held: nothing is in any inbox.
    BrokerLost,
    /// This inbox was made anew or holds fewer than it should.
    InboxLost(AccountId),
    /// The directory changed: an inbox may be another's now.
    DirectoryChanged,
}

/// All signals of the road.
#[derive(Debug)]
pub struct Signals {
    /// Addressees with something due.
    pub due: DueSet,
    owed: mpsc::Sender<OwedNow>,
    owed_overflow: AtomicBool,
    news: mpsc::Sender<DispatchNews>,
}

/// The receiving ends, one for each stage that waits.
#[derive(Debug)]
pub struct SignalEnds {
    /// For tell.
    pub owed: mpsc::Receiver<OwedNow>,
    /// For dispatch.
    pub news: mpsc::Receiver<DispatchNews>,
}

impl Signals {
    /// The signals of one road, with their receiving ends.
    pub fn new() -> (Signals, SignalEnds) {
        let (owed, owed_end) = mpsc::channel(OWED_MAX);
        let (news, news_end) = mpsc::channel(SETTLED_MAX);
        let signals = Signals {
            due: DueSet::default(),
            owed,
            owed_overflow: AtomicBool::new(false),
            news,
        };
        (
            signals,
            SignalEnds {
                owed: owed_end,
                news: news_end,
            },
        )
    }

    /// A receipt is owed. When the queue is full it is left to the index, and the overflow is remembered.
    pub fn owe(&self, owed: OwedNow) {
        if self.owed.try_send(owed).is_err() {
            self.owed_overflow.store(true, Ordering::Release);
        }
    }

    /// Whether receipts were left to the index since the last time this was asked.
    pub fn take_owed_overflow(&self) -> bool {
        self.owed_overflow.swap(false, Ordering::AcqRel)
    }

    /// Makes tell look into the index.
    pub fn look_for_owed(&self) {
        self.owed_overflow.store(true, Ordering::Release);
    }

    /// Tells dispatch something it must hear.
    pub async fn tell_dispatch(&self, news: DispatchNews) {
        // The other end is gone only while the process ends, and then nobody needs to know.
        let _ = self.news.send(news).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_due_is_taken_once() {
        let due = DueSet::default();
        due.add([
            AgencyId::from_number(2),
            AgencyId::from_number(1),
            AgencyId::from_number(2),
        ]);
        assert_eq!(due.take().await.len(), 2);
        due.add([AgencyId::from_number(3)]);
        assert_eq!(
            due.take().await.into_iter().collect::<Vec<_>>(),
            [AgencyId::from_number(3)]
        );
    }
}
