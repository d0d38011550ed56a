//! Which deliveries of a channel are settled, and the fewest acknowledgements that say so.
//!
//! **Invariant:** no acknowledgement covers a delivery that is not settled, also not one that the broker has sent and
//! that nobody has seen yet: tags count up from 1 on a channel, and every tag is open until it is settled here.

use std::collections::VecDeque;

/// An acknowledgement to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acknowledgement {
    /// Of this delivery.
    One(u64),
    /// Of this delivery and of all before it.
    UpTo(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Open,
    /// Done, and the broker does not know.
    Settled,
    /// The broker knows: acknowledged, or given back.
    Gone,
}

/// The deliveries of one channel, from the oldest open one on.
#[derive(Debug)]
pub(crate) struct Window {
    /// Tag of the first slot.
    first: u64,
    slots: VecDeque<Slot>,
    /// Settled since the last flush.
    fresh: Vec<u64>,
}

impl Window {
    /// The window of a channel just opened.
    pub(crate) fn new() -> Window {
        Window {
            first: 1,
            slots: VecDeque::new(),
            fresh: Vec::new(),
        }
    }

    /// The delivery is done with.
    pub(crate) fn settle(&mut self, tag: u64) {
        if let Some(slot) = self.slot(tag) {
            *slot = Slot::Settled;
            self.fresh.push(tag);
        }
    }

    /// The delivery goes back to its queue: true when it is to be sent back now, false when it was settled before.
    pub(crate) fn give_back(&mut self, tag: u64) -> bool {
        match self.slot(tag) {
            Some(slot) => {
                *slot = Slot::Gone;
                true
            }
            None => false,
        }
    }

    /// Appends the acknowledgements of all that was settled since the last call.
    pub(crate) fn flush(&mut self, into: &mut Vec<Acknowledgement>) {
        let (mut last, mut count) = (0, 0);
        while let Some(slot) = self.slots.front() {
            match slot {
                Slot::Open => break,
                Slot::Settled => (last, count) = (self.first, count + 1),
                Slot::Gone => {}
            }
            self.slots.pop_front();
            self.first += 1;
        }
        match count {
            0 => {}
            1 => into.push(Acknowledgement::One(last)),
            _ => into.push(Acknowledgement::UpTo(last)),
        }
        let mut fresh = std::mem::take(&mut self.fresh);
        for tag in fresh.drain(..) {
            if let Some(slot) = self.index(tag).and_then(|at| self.slots.get_mut(at)) {
                *slot = Slot::Gone;
                into.push(Acknowledgement::One(tag));
            }
        }
        self.fresh = fresh; // its memory serves the next round
    }

    /// The open slot of a tag.
    fn slot(&mut self, tag: u64) -> Option<&mut Slot> {
        let at = self.index(tag)?;
        if at >= self.slots.len() {
            self.slots.resize(at + 1, Slot::Open);
        }
        let slot = &mut self.slots[at];
        (*slot == Slot::Open).then_some(slot)
    }

    fn index(&self, tag: u64) -> Option<usize> {
        tag.checked_sub(self.first)
            .and_then(|at| usize::try_from(at).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn flushed(window: &mut Window) -> Vec<Acknowledgement> {
        let mut into = Vec::new();
        window.flush(&mut into);
        into
    }

    #[test]
    fn a_settled_beginning_is_acknowledged_at_once_and_a_straggler_alone() {
        let mut window = Window::new();
        for tag in [2, 1, 3, 5] {
            window.settle(tag);
        }
        assert_eq!(
            flushed(&mut window),
            [Acknowledgement::UpTo(3), Acknowledgement::One(5)]
        );
        assert!(window.give_back(4));
        assert!(!window.give_back(4));
        assert_eq!(flushed(&mut window), []);
        window.settle(6);
        assert_eq!(flushed(&mut window), [Acknowledgement::One(6)]);
    }

    proptest! {
        /// The broker's side of the bargain: whatever order deliveries are settled or given back in, each is
        /// acknowledged or given back exactly once, and nothing open is ever covered.
        #[test]
        fn each_delivery_is_answered_exactly_once(
            order in Just((1_u64..=40).collect::<Vec<_>>()).prop_shuffle(),
            returns in prop::collection::vec(any::<bool>(), 40),
            flushes in prop::collection::vec(any::<bool>(), 40),
        ) {
            let mut window = Window::new();
            let mut outstanding: BTreeSet<u64> = (1..=40).collect();
            let mut settled = BTreeSet::new();
            for ((tag, returned), flush) in order.into_iter().zip(returns).zip(flushes) {
                if returned {
                    prop_assert!(window.give_back(tag));
                    prop_assert!(outstanding.remove(&tag));
                } else {
                    window.settle(tag);
                    settled.insert(tag);
                }
                if flush {
                    answer(&mut window, &mut outstanding, &settled)?;
                    prop_assert!(outstanding.is_disjoint(&settled), "a flush leaves nothing settled behind");
                }
            }
            answer(&mut window, &mut outstanding, &settled)?;
            prop_assert!(outstanding.is_empty());
            prop_assert!(window.slots.is_empty());
        }
    }

    fn answer(
        window: &mut Window,
        outstanding: &mut BTreeSet<u64>,
        settled: &BTreeSet<u64>,
    ) -> Result<(), TestCaseError> {
        for acknowledgement in flushed(window) {
            let covered: Vec<u64> = match acknowledgement {
                Acknowledgement::One(tag) => vec![tag],
                Acknowledgement::UpTo(tag) => outstanding.range(..=tag).copied().collect(),
            };
            let (Acknowledgement::One(last) | Acknowledgement::UpTo(last)) = acknowledgement;
            prop_assert!(
                covered.contains(&last),
                "the broker closes a channel over an unknown tag"
            );
            for tag in covered {
                prop_assert!(outstanding.remove(&tag) && settled.contains(&tag));
            }
        }
        Ok(())
    }
}
