//! Accounts take turns: one message each, whoever has most waiting. The urgent intake and the confirmations of all are
//! one queue each.
//!
//! **Invariant:** of one account the order is kept; of two that both wait, neither comes twice before the other.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Messages that wait to be handed on, by who published them.
#[derive(Debug)]
pub(crate) struct Turns<K, T> {
    waiting: HashMap<K, VecDeque<T>>,
    order: VecDeque<K>,
}

impl<K: Hash + Eq + Clone, T> Turns<K, T> {
    /// Nothing waits.
    pub(crate) fn new() -> Turns<K, T> {
        Turns {
            waiting: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Another message of this publisher.
    pub(crate) fn push(&mut self, from: K, message: T) {
        let own = self.waiting.entry(from.clone()).or_default();
        if own.is_empty() {
            self.order.push_back(from);
        }
        own.push_back(message);
    }

    /// The message whose turn it is.
    pub(crate) fn next(&mut self) -> Option<T> {
        let from = self.order.pop_front()?;
        let own = self.waiting.get_mut(&from)?;
        let message = own.pop_front();
        if own.is_empty() {
            self.waiting.remove(&from);
        } else {
            self.order.push_back(from);
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_message_of_a_quiet_account_does_not_wait_behind_a_flood() {
        let mut turns = Turns::new();
        for n in 0..100 {
            turns.push(7, (7, n));
        }
        turns.push(2, (2, 0));
        let first: Vec<_> = std::iter::from_fn(|| turns.next()).take(3).collect();
        assert_eq!(first, [(7, 0), (2, 0), (7, 1)]);
    }

    proptest! {
        #[test]
        fn everything_comes_out_once_and_in_the_order_of_its_account(
            steps in prop::collection::vec(prop::option::of(0_usize..4), 0..120),
        ) {
            let mut turns = Turns::new();
            let (mut pushed, mut seen) = ([0_u32; 4], [0_u32; 4]);
            for step in steps {
                match step {
                    Some(queue) => {
                        turns.push(queue, (queue, pushed[queue]));
                        pushed[queue] += 1;
                    }
                    None => if let Some((queue, n)) = turns.next() {
                        prop_assert_eq!(n, seen[queue]);
                        seen[queue] += 1;
                    }
                }
            }
            while let Some((queue, n)) = turns.next() {
                prop_assert_eq!(n, seen[queue]);
                seen[queue] += 1;
            }
            prop_assert_eq!(pushed, seen);
            prop_assert!(turns.is_empty());
        }
    }
}
