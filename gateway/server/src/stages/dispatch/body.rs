//! The bytes of dispatches on their way: each original once in memory, and all of them within a budget.
//!
//! A packet for a thousand addressees is fetched once for all that are under way together; packets of the largest size
//! wait for room instead of filling the memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use domain::dispatch::{Dispatch, Rank};
use domain::port::StoreFault;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trust::Digest;

use crate::stages::Road;

/// What the budget is counted in, in bytes.
const UNIT: u64 = 1024;
/// Remembered digests after which those that are no longer in memory are forgotten.
const KNOWN_MAX: usize = 4096;

/// All bodies that are under way.
pub(super) struct Bodies {
    known: Mutex<HashMap<Digest, Weak<Body>>>,
    normal: Budget,
    urgent: Budget,
}

/// How many bytes may be in memory.
struct Budget {
    units: Arc<Semaphore>,
    units_max: u32,
}

/// One body; its share of the budget is given back when nobody needs it any more.
pub(super) struct Body {
    bytes: Arc<[u8]>,
    _share: OwnedSemaphorePermit,
}

impl Body {
    pub(super) fn bytes(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }
}

impl Bodies {
    /// None is in memory; all of them together may take so many bytes, or one that is larger alone. Urgent ones have a quarter
    /// for themselves: they wait for no one's large documents.
    pub(super) fn new(bytes_max: u64) -> Bodies {
        let urgent = bytes_max / 4;
        Bodies {
            known: Mutex::default(),
            normal: Budget::new(bytes_max - urgent),
            urgent: Budget::new(urgent),
        }
    }

    /// The original, from memory or from the archive; waits for room there.
    ///
    /// # Errors
    /// Of the archive; [`StoreFault::Damaged`] when it does not hold the original.
    pub(super) async fn get(&self, road: &Road, dispatch: &Dispatch) -> Result<Arc<Body>, StoreFault> {
        let digest = &dispatch.body;
        let budget = match dispatch.rank {
            Rank::Urgent => &self.urgent,
            Rank::Normal => &self.normal,
        };
        if let Some(body) = self.known(digest) {
            return Ok(body);
        }
        let missing = || StoreFault::Damaged(format!("original {digest} is not in the archive"));
        let length = road.archive.length(digest)?.ok_or_else(missing)?;
        let share = budget.share(length).await;
        // Somebody else may have fetched it while this one waited.
        if let Some(body) = self.known(digest) {
            return Ok(body);
        }
        let bytes = road.archive.fetch(digest).await?.ok_or_else(missing)?;
        let body = Arc::new(Body { bytes, _share: share });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if KNOWN_MAX <= known.len() {
            known.retain(|_, body| 0 < body.strong_count());
        }
        known.insert(*digest, Arc::downgrade(&body));
        Ok(body)
    }

    fn known(&self, digest: &Digest) -> Option<Arc<Body>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).and_then(Weak::upgrade)
    }
}

impl Budget {
    fn new(bytes_max: u64) -> Budget {
        let units_max = u32::try_from(bytes_max / UNIT).unwrap_or(u32::MAX).max(1);
        let permits = usize::try_from(units_max).unwrap_or(Semaphore::MAX_PERMITS);
        Budget {
            units: Arc::new(Semaphore::new(permits)),
            units_max,
        }
    }

    async fn share(&self, length: u64) -> OwnedSemaphorePermit {
        let units = u32::try_from(length / UNIT + 1).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.units).acquire_many_owned(units.min(self.units_max));
        share.await.expect("the budget is never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_budget_is_kept_and_what_is_larger_goes_alone() {
        let budget = Budget::new(4 * UNIT);
        let first = budget.share(2 * UNIT).await;
        assert_eq!(budget.units.available_permits(), 1, "three units are taken");
        drop(first);
        let alone = budget.share(100 * UNIT).await;
        assert_eq!(budget.units.available_permits(), 0);
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), budget.share(1)).await;
        assert!(waits.is_err(), "no room beside it");
        drop(alone);
        drop(budget.share(1).await);
    }
}
