//! The clock: the one place that reads the time of day.
//!
//! Made once by `app`, handed to every stage, which hand its readings on as arguments. Beside the time of day it
//! watches the monotonic clock, because a time of day that jumps makes certificates valid that are not, and the other
//! way round.
//!
//! **Invariant:** nothing else in the gateway reads `SystemTime`.
//! **Invariant:** a jump is a state, not a log line: while it lasts, nothing is judged or recorded that depends on time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::receipt::vietnam_time;
use trust::Time;

/// How old the comparison may grow before it begins anew. Within it the two clocks may part by the limit and no more;
/// slow corrections, which move the time of day by less in an hour, are what a time service is for.
const ANCHOR_SECONDS_MAX: u64 = 3600;

/// Why the time of day cannot be believed, with what a person does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsteady {
    /// It moved away from the monotonic clock by more than the limit.
    #[error(
        "the time of day jumped by {} s: set the clock, or if it is right run `gateway accept-clock`",
        .micros / 1_000_000
    )]
    Jumped {
        /// By how much; positive when the time of day went forward. Microseconds.
        micros: i64,
    },
    /// It lies before the newest event of the journal by more than the limit: one of both was dated by a wrong clock.
    #[error(
        "the time of day lies before the newest event of the journal, {}: set the clock, or if it is right run \
         `gateway accept-clock` while the gateway runs",
        vietnam_time(*.newest)
    )]
    Behind {
        /// When the newest event was.
        newest: Time,
        /// By how much the time of day lies before it; negative. Microseconds.
        micros: i64,
    },
}

impl Unsteady {
    /// How far off the time of day is, in seconds; negative when it lies too early.
    pub fn seconds(self) -> i64 {
        match self {
            Unsteady::Jumped { micros } | Unsteady::Behind { micros, .. } => micros / 1_000_000,
        }
    }
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
    /// The newest event of the journal at the start, while the time of day has not come up to it.
    newest: Option<Time>,
}

impl Watch {
    /// Compares a reading with the anchor, and moves the anchor on when it is old and nothing is wrong.
    fn judge(&mut self, reading: Reading) -> Result<(), Unsteady> {
        if let Some(newest) = self.newest {
            if let Some(micros) = self.behind(reading, newest) {
                return Err(Unsteady::Behind { newest, micros });
            }
            // Somebody has set the clock. How it went before says nothing, as if the process began now.
            self.take(reading);
        }
        let went = reading.wall_micros.saturating_sub(self.anchor.wall_micros);
        let should = reading.steady_micros - self.anchor.steady_micros;
        let micros = went.saturating_sub(should);
        if micros.saturating_abs() > self.limit_micros {
            return Err(Unsteady::Jumped { micros });
        }
        if should > micros_of(Duration::from_secs(ANCHOR_SECONDS_MAX)) {
            self.anchor = reading;
        }
        Ok(())
    }

    /// By how much a reading lies before this event, if by more than the limit.
    fn behind(&self, reading: Reading, newest: Time) -> Option<i64> {
        let micros = reading.wall_micros.saturating_sub(newest.as_micros());
        (micros < -self.limit_micros).then_some(micros)
    }

    /// Takes a reading for right.
    fn take(&mut self, reading: Reading) {
        (self.anchor, self.newest) = (reading, None);
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
                newest: None,
            })),
            started,
        }
    }

    /// The time of day.
    pub fn now(&self) -> Time {
        Time::from_micros(wall_micros())
    }

    /// The moment for what is judged and recorded: the time of day, and never before `earliest`, the newest event.
    /// Events are dated one after another, so that after a clock that was wrong they may lie ahead of the time of day; a
    /// suspension or an unpinning among them counts at once all the same.
    pub fn now_from(&self, earliest: Option<Time>) -> Time {
        let time_of_day = self.now();
        earliest.map_or(time_of_day, |earliest| earliest.max(time_of_day))
    }

    /// Says at the start when the newest event of the journal was. While the time of day lies before it by more than
    /// the limit, it cannot be believed: this machine may have forgotten the time while it was off.
    pub fn not_before(&self, newest: Time) {
        let reading = self.reading();
        let mut watch = self.lock();
        watch.newest = watch.behind(reading, newest).map(|_| newest);
    }

    /// Whether the time of day can be believed.
    ///
    /// # Errors
    /// [`Unsteady`], which ends when the time of day comes back or up to the newest event, or when a person
    /// [accepts](Clock::accept) it.
    pub fn steady(&self) -> Result<(), Unsteady> {
        let reading = self.reading();
        self.lock().judge(reading)
    }

    /// Takes the time of day as it is now for right: a person has looked at it.
    pub fn accept(&self) {
        let reading = self.reading();
        self.lock().take(reading);
    }

    /// As if the time of day had jumped by so many seconds.
    #[cfg(test)]
    pub(crate) fn jump(&self, seconds: i64) {
        self.lock().anchor.wall_micros -= seconds * 1_000_000;
    }

    fn lock(&self) -> MutexGuard<'_, Watch> {
        // Its values are replaced whole: a thread that died with the lock left sound ones.
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
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
            newest: None,
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
        assert_eq!(watch().judge(at(50 * HOUR + 100, 90)), Ok(()));
        assert_eq!(watch().judge(at(50 * HOUR + 100, 110)), Ok(()));
    }

    #[test]
    fn a_jump_of_more_than_the_limit_is_told_with_its_direction() {
        assert_eq!(
            watch().judge(at(50 * HOUR + 101, 90)),
            Err(Unsteady::Jumped { micros: 11 })
        );
        assert_eq!(
            watch().judge(at(0, 90)),
            Err(Unsteady::Jumped {
                micros: -50 * HOUR - 90
            })
        );
    }

    #[test]
    fn a_jump_lasts_until_the_time_of_day_comes_back() {
        let mut watch = watch();
        assert_eq!(
            watch.judge(at(60 * HOUR, 2 * HOUR)),
            Err(Unsteady::Jumped { micros: 8 * HOUR })
        );
        assert_eq!(
            watch.judge(at(61 * HOUR, 3 * HOUR)),
            Err(Unsteady::Jumped { micros: 8 * HOUR })
        );
        assert_eq!(watch.judge(at(54 * HOUR, 4 * HOUR)), Ok(()));
    }

    #[test]
    fn slow_corrections_do_not_add_up_to_a_jump() {
        let mut watch = watch();
        for hours in 1..100 {
            let steady = hours * 2 * HOUR;
            assert_eq!(
                watch.judge(at(50 * HOUR + steady + hours * 9, steady)),
                Ok(()),
                "{hours}"
            );
        }
    }

    #[test]
    fn a_jump_that_a_person_accepted_is_none() {
        let clock = Clock::start(Duration::from_secs(1));
        clock.watch.lock().expect("nobody panicked").anchor.wall_micros -= HOUR;
        assert!(matches!(clock.steady(), Err(Unsteady::Jumped { .. })));
        clock.accept();
        assert_eq!(clock.steady(), Ok(()));
    }

    #[test]
    fn a_start_before_the_newest_event_is_not_steady_until_the_clock_is_set() {
        let mut watch = watch();
        let newest = Time::from_micros(80 * HOUR);
        watch.newest = Some(newest);
        let micros = -20 * HOUR;
        assert_eq!(
            watch.judge(at(60 * HOUR, 90)),
            Err(Unsteady::Behind { newest, micros })
        );
        assert_eq!(watch.judge(at(80 * HOUR - 10, 100)), Ok(()), "within the limit");
        assert_eq!(
            watch.judge(at(80 * HOUR, 110)),
            Ok(()),
            "counted from when it was set"
        );
        assert_eq!(
            watch.judge(at(70 * HOUR, 110)),
            Err(Unsteady::Jumped { micros: -10 * HOUR })
        );
    }

    #[test]
    fn a_start_a_little_before_the_newest_event_is_steady() {
        let clock = Clock::start(Duration::from_secs(30));
        clock.not_before(clock.now().plus_seconds(20));
        assert_eq!(clock.steady(), Ok(()));
    }

    #[test]
    fn a_start_before_the_newest_event_is_ended_by_a_person() {
        let clock = Clock::start(Duration::from_secs(30));
        clock.not_before(clock.now().plus_seconds(86_400));
        let unsteady = clock.steady().expect_err("behind");
        assert!(
            unsteady.to_string().contains("gateway accept-clock"),
            "{unsteady}"
        );
        clock.accept();
        assert_eq!(clock.steady(), Ok(()));
    }
}
