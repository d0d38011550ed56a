//! How many bytes of unsettled messages a lane holds, and which queues rest because they are too many.
//!
//! Count alone is no bound: 64 messages of 1 MB from each of 1,300 agencies are 83 GB. A queue that delivers while the
//! budget is spent is put to rest; it goes on when half of the budget is free again.
//!
//! **Invariant:** a queue rests at most once at a time, and no queue rests while nothing is unsettled.

use std::collections::{HashSet, VecDeque};

/// A lane's number of a queue.
pub(crate) type QueueNumber = usize;

/// What is unsettled, in bytes.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: u64,
    unsettled_bytes: u64,
    resting: VecDeque<QueueNumber>,
    rests: HashSet<QueueNumber>,
}

/// Whether a queue goes on delivering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It goes on.
    On,
    /// It is to be put to rest.
    Rest,
}

impl Budget {
    /// A budget of which nothing is spent.
    pub(crate) fn new(bytes_max: u64) -> Budget {
        Budget {
            bytes_max,
            unsettled_bytes: 0,
            resting: VecDeque::new(),
            rests: HashSet::new(),
        }
    }

    /// Whether nothing more should be asked for.
    pub(crate) fn is_spent(&self) -> bool {
        self.unsettled_bytes > self.bytes_max
    }

    /// A message came. [`Pace::Rest`] is said once; what a resting queue had sent already still counts.
    pub(crate) fn take(&mut self, queue: QueueNumber, bytes: u64) -> Pace {
        self.unsettled_bytes += bytes;
        if self.is_spent() {
            self.rest(queue)
        } else {
            Pace::On
        }
    }

    /// Puts a queue to rest that has not begun.
    pub(crate) fn rest(&mut self, queue: QueueNumber) -> Pace {
        if !self.rests.insert(queue) {
            return Pace::On;
        }
        self.resting.push_back(queue);
        Pace::Rest
    }

    /// Whether a queue is at rest, or on its way there.
    pub(crate) fn rests(&self, queue: QueueNumber) -> bool {
        self.rests.contains(&queue)
    }

    /// A message is settled or given back. The queues that go on because of it, longest resting first.
    pub(crate) fn release(&mut self, bytes: u64) -> VecDeque<QueueNumber> {
        self.unsettled_bytes = self
            .unsettled_bytes
            .checked_sub(bytes)
            .expect("only what was taken is released");
        if self.unsettled_bytes > self.bytes_max / 2 {
            return VecDeque::new();
        }
        self.rests.clear();
        std::mem::take(&mut self.resting)
    }

    /// Forgets who rests: all queues begin anew on another channel. What is unsettled still is.
    pub(crate) fn wake_all(&mut self) {
        self.resting.clear();
        self.rests.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_queue_rests_over_the_limit_and_goes_on_at_half() {
        let mut budget = Budget::new(100);
        assert_eq!(budget.take(1, 100), Pace::On);
        assert_eq!(budget.take(2, 1), Pace::Rest);
        assert_eq!(budget.take(2, 1), Pace::On, "said once");
        assert_eq!(budget.take(1, 1), Pace::Rest);
        assert!(budget.release(52).is_empty());
        assert_eq!(budget.release(1), [2, 1]);
        assert!(!budget.is_spent());
        assert!(budget.release(50).is_empty());
    }

    proptest! {
        #[test]
        fn who_rests_goes_on_in_the_end(
            messages in prop::collection::vec((0_usize..5, 0_u64..60), 1..80),
            backlog in 1_usize..20,
        ) {
            let mut budget = Budget::new(100);
            let mut resting = HashSet::new();
            let mut held = VecDeque::new();
            for (queue, bytes) in messages {
                if budget.take(queue, bytes) == Pace::Rest {
                    prop_assert!(budget.is_spent());
                    prop_assert!(resting.insert(queue));
                }
                held.push_back(bytes);
                while held.len() > backlog {
                    let oldest = held.pop_front().expect("longer than the backlog");
                    for woken in budget.release(oldest) {
                        prop_assert!(resting.remove(&woken));
                    }
                }
                prop_assert_eq!(budget.unsettled_bytes, held.iter().sum::<u64>());
            }
            for bytes in held {
                for woken in budget.release(bytes) {
                    prop_assert!(resting.remove(&woken));
                }
            }
            prop_assert!(resting.is_empty());
            prop_assert_eq!(budget.unsettled_bytes, 0);
        }
    }
}
