//! A queue of a lane, and how it stands.
//!
//! **Invariant:** a queue that is not there is looked for for ever, soon at first: an account is known a moment before
//! its queue is made, and its first document shall not wait for the longest pause.

use std::time::Duration;

use lapin::types::ShortString;
use tokio::time::Instant;

/// First pause before a queue that is not there is looked for again; each is twice as long as the one before.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(5);
/// Looks in vain before a person is told.
const LOOKS_UNTOLD: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing is asked of it.
    Idle,
    /// To be consumed; its order waits.
    Due,
    /// Delivers.
    Open,
    /// Asked to end; its feed says when.
    Ending,
    /// Ended because the budget was spent.
    Resting,
    /// Not there; looked for again at this time.
    Missing(Instant),
}

/// A queue that is consumed, or was.
pub(crate) struct Source {
    pub(crate) queue: String,
    pub(crate) wanted: bool,
    pub(crate) standing: Standing,
    pub(crate) tag: ShortString,
    /// Looks in vain since it was there.
    misses: u32,
}

impl Source {
    /// A queue of which nothing is asked yet.
    pub(crate) fn new(queue: String) -> Source {
        Source {
            queue,
            wanted: true,
            standing: Standing::Idle,
            tag: ShortString::default(),
            misses: 0,
        }
    }

    /// It delivers.
    pub(crate) fn open(&mut self) {
        self.standing = Standing::Open;
        self.misses = 0;
    }

    /// It is not there.
    pub(crate) fn miss(&mut self) {
        if self.misses == LOOKS_UNTOLD {
            tracing::warn!(queue = self.queue, "no such queue; looked for again and again");
        }
        let doublings = self.misses.min(LOOKS_UNTOLD + 1);
        let pause = (LOOK_AGAIN * (1 << doublings)).min(LOOK_AGAIN_MAX);
        self.standing = Standing::Missing(Instant::now() + pause);
        self.misses = self.misses.saturating_add(1);
    }

    /// Whether it is time to look for it again.
    pub(crate) fn is_looked_for(&self, now: Instant) -> bool {
        self.wanted && matches!(self.standing, Standing::Missing(until) if until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pause that was set, to a tenth of a second.
    fn pause(source: &mut Source) -> u128 {
        source.miss();
        let missed = Instant::now();
        let is_looked_for =
            |tenths: &u32| source.is_looked_for(missed + *tenths * Duration::from_millis(100));
        let tenths = (0..100).find(is_looked_for).expect("at most ten seconds");
        u128::from(tenths) * 100
    }

    #[test]
    fn a_missing_queue_is_looked_for_soon_and_ever_more_seldom() {
        let mut source = Source::new("intake.a1".to_owned());
        let pauses: Vec<_> = (0..40).map(|_| pause(&mut source)).collect();
        assert_eq!(pauses[..7], [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(pauses[39], 5_000);
        source.open();
        assert_eq!(pause(&mut source), 200, "a new absence begins anew");
        source.wanted = false;
        assert!(!source.is_looked_for(Instant::now() + LOOK_AGAIN_MAX));
    }
}
