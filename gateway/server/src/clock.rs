//! The clock: the one place that reads the time of day.
//!
//! Made once by `app`, handed to every stage, which hand its readings on as arguments. Beside the time of day it
//! watches the monotonic clock, because a time of day that jumps makes certificates valid that are not, and the other
//! way round.
//!
//! **Invariant:** nothing else in the gateway reads `SystemTime`.
//! **Invariant:** a jump is a state, not a log line: while it lasts, verdicts that depend on time are *not now*.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use trust::Time;

/// How old the comparison may grow before it begins anew. Within it the two clocks may part by the limit and no more;
/// slow corrections, which move the time of day by less in an hour, are what a time service is for.
const ANCHOR_SECONDS_MAX: u64 = 3600;

/// Whether the time of day can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// It went as the monotonic clock went.
    Steady,
    /// It moved away from the monotonic clock by more than the limit.
    Jumped {
        /// By how much; positive when the time of day went forward. Microseconds.
        micros: i64,
    },
}

/// The clock of this process. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Clock {
    watch: Arc<Mutex<Watch>>,
    started: Instant,
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
struct Reading {
    wall_micros: i64,
    steady_micros: i64,
}

#[derive(Debug)]
struct Watch {
    anchor: Reading,
    limit_micros: i64,
}

impl Watch {
    /// Compares a reading with the anchor, and moves the anchor on when it is old and nothing is wrong.
    fn judge(&mut self, reading: Reading) -> ClockState {
        let went = reading.wall_micros.saturating_sub(self.anchor.wall_micros);
        let should = reading.steady_micros - self.anchor.steady_micros;
        let micros = went.saturating_sub(should);
        if micros.saturating_abs() > self.limit_micros {
            return ClockState::Jumped { micros };
        }
        if should > micros_of(Duration::from_secs(ANCHOR_SECONDS_MAX)) {
            self.anchor = reading;
        }
        ClockState::Steady
    }
}

impl Clock {
    /// Begins to watch. `jump_limit` is how far the time of day may part from the monotonic clock within an hour.
    pub fn start(jump_limit: Duration) -> Clock {
        let started = Instant::now();
        let anchor = Reading {
            wall_micros: wall_micros(),
            steady_micros: 0,
        };
        Clock {
            watch: Arc::new(Mutex::new(Watch {
                anchor,
                limit_micros: micros_of(jump_limit),
            })),
            started,
        }
    }

    /// The time of day.
    pub fn now(&self) -> Time {
        Time::from_micros(wall_micros())
    }

    /// Whether the time of day can be believed. A jump ends when the time of day comes back, or when a person
    /// [accepts](Clock::accept) it.
    pub fn state(&self) -> ClockState {
        let reading = self.reading();
        self.watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .judge(reading)
    }

    /// Takes the time of day as it is now for right: a person has looked at it.
    pub fn accept(&self) {
        let reading = self.reading();
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).anchor = reading;
    }

    /// As if the time of day had jumped by so many seconds.
    #[cfg(test)]
    pub(crate) fn jump(&self, seconds: i64) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.anchor.wall_micros -= seconds * 1_000_000;
    }

    fn reading(&self) -> Reading {
        Reading {
            wall_micros: wall_micros(),
            steady_micros: micros_of(self.started.elapsed()),
        }
    }
}

fn micros_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Microseconds since 1970 UTC; negative before.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the time of day"
)]
fn wall_micros() -> i64 {
    let now = SystemTime::now();
    match now.duration_since(UNIX_EPOCH) {
        Ok(since) => micros_of(since),
        Err(before) => -micros_of(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn watch() -> Watch {
        Watch {
            anchor: Reading {
                wall_micros: 50 * HOUR,
                steady_micros: 0,
            },
            limit_micros: 10,
        }
    }

    fn at(wall_micros: i64, steady_micros: i64) -> Reading {
        Reading {
            wall_micros,
            steady_micros,
        }
    }

    #[test]
    fn a_clock_that_goes_with_the_monotonic_one_is_steady() {
        assert_eq!(watch().judge(at(50 * HOUR + 100, 90)), ClockState::Steady);
        assert_eq!(watch().judge(at(50 * HOUR + 100, 110)), ClockState::Steady);
    }

    #[test]
    fn a_jump_of_more_than_the_limit_is_told_with_its_direction() {
        assert_eq!(
            watch().judge(at(50 * HOUR + 101, 90)),
            ClockState::Jumped { micros: 11 }
        );
        assert_eq!(
            watch().judge(at(0, 90)),
            ClockState::Jumped {
                micros: -50 * HOUR - 90
            }
        );
    }

    #[test]
    fn a_jump_lasts_until_the_time_of_day_comes_back() {
        let mut watch = watch();
        assert_eq!(
            watch.judge(at(60 * HOUR, 2 * HOUR)),
            ClockState::Jumped { micros: 8 * HOUR }
        );
        assert_eq!(
            watch.judge(at(61 * HOUR, 3 * HOUR)),
            ClockState::Jumped { micros: 8 * HOUR }
        );
        assert_eq!(watch.judge(at(54 * HOUR, 4 * HOUR)), ClockState::Steady);
    }

    #[test]
    fn slow_corrections_do_not_add_up_to_a_jump() {
        let mut watch = watch();
        for hours in 1..100 {
            let steady = hours * 2 * HOUR;
            assert_eq!(
                watch.judge(at(50 * HOUR + steady + hours * 9, steady)),
                ClockState::Steady,
                "{hours}"
            );
        }
    }

    #[test]
    fn a_jump_that_a_person_accepted_is_none() {
        let clock = Clock::start(Duration::from_secs(1));
        clock.watch.lock().expect("nobody panicked").anchor.wall_micros -= HOUR;
        assert!(matches!(clock.state(), ClockState::Jumped { .. }));
        clock.accept();
        assert_eq!(clock.state(), ClockState::Steady);
    }
}
