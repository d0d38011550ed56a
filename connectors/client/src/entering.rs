//! Ids that are being entered into the outbox: nobody else enters one before it is known what became of it.
//!
//! Between the look whether an id is known and the record that makes it so lies a write to the disk. Two submissions of one
//! id would both find it unknown, and the later one would take the place of the earlier, which was told to be kept.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::ids::SubmissionId;
use tokio::sync::Notify;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Entering {
    ids: Mutex<HashSet<SubmissionId>>,
    freed: Notify,
}

/// Ids that are one caller's, until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    entering: Arc<Entering>,
    ids: Vec<SubmissionId>,
}

impl Entering {
    /// Waits until nobody enters any of these ids, and takes all of them at once.
    pub(crate) async fn claim(self: &Arc<Self>, ids: impl Iterator<Item = &SubmissionId>) -> Claim {
        let ids: Vec<SubmissionId> = ids.cloned().collect();
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // From here on no release is missed.
            freed.as_mut().enable();
            {
                let mut taken = self.taken();
                if !ids.iter().any(|id| taken.contains(id)) {
                    taken.extend(ids.iter().cloned());
                    let entering = Arc::clone(self);
                    return Claim { entering, ids };
                }
            }
            freed.await;
        }
    }

    fn taken(&self) -> MutexGuard<'_, HashSet<SubmissionId>> {
        self.ids.lock().expect("no code under this lock panics")
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut taken = self.entering.taken();
        for id in &self.ids {
            taken.remove(id);
        }
        drop(taken);
        self.entering.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn id(name: &str) -> SubmissionId {
        SubmissionId::parse(name).expect("an id")
    }

    #[tokio::test]
    async fn an_id_is_one_caller_s_at_a_time() {
        let entering = Arc::new(Entering::default());
        let (a, b) = (id("a"), id("b"));
        let first = entering.claim([&a].into_iter()).await;
        let other = entering.claim([&b].into_iter()).await;
        let mut both = std::pin::pin!(entering.claim([&a, &b].into_iter()));
        assert!(both.as_mut().now_or_never().is_none(), "a is being entered");
        drop(first);
        assert!(both.as_mut().now_or_never().is_none(), "b is being entered");
        drop(other);
        let both = both.await;
        assert_eq!(both.ids, [a.clone(), b.clone()]);
    }
}
