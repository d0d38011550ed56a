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

    /// Nothing is asked of it any more; how often it was missed before says nothing of the next time.
    pub(crate) fn idle(&mut self) {
        self.standing = Standing::Idle;
        self.misses = 0;
    }

    /// It is not there.
    pub(crate) fn miss(&mut self) {
        if self.misses == LOOKS_UNTOLD {
            tracing::warn!(queue = self.queue, "no such queue; looked for again and again");
        }
        self.standing = Standing::Missing(Instant::now() + pause(self.misses));
        self.misses = self.misses.saturating_add(1);
    }

    /// Whether it is time to look for it again.
    pub(crate) fn is_looked_for(&self, now: Instant) -> bool {
        self.wanted && matches!(self.standing, Standing::Missing(until) if until <= now)
    }
}

/// How long a queue is left alone that was missed so often before.
fn pause(misses: u32) -> Duration {
    let doublings = misses.min(LOOKS_UNTOLD + 1);
    (LOOK_AGAIN * (1 << doublings)).min(LOOK_AGAIN_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_queue_is_looked_for_soon_and_ever_more_seldom() {
        let pauses = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|misses| pause(misses).as_millis());
        assert_eq!(pauses, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    }

    #[test]
    fn a_missing_queue_is_looked_for_while_it_is_wanted() {
        let mut source = Source::new("intake.a1".to_owned());
        let later = Instant::now() + Duration::from_secs(3600);
        assert!(!source.is_looked_for(later), "nothing is known of it yet");
        source.miss();
        assert!(source.is_looked_for(later));
        source.wanted = false;
        assert!(!source.is_looked_for(later));
        source.idle();
        assert_eq!(source.misses, 0, "a new absence begins anew");
    }
}
