//! The one place that reads the clock.
//!
//! Everything else is given its time, so that tests choose it.
//!
//! **Invariant:** what is waited for or repeated goes by [`steady`], which nobody sets: only what is told to people and to
//! the gateway goes by [`now`].

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use trust::Time;

/// Now, by this machine's clock. A clock set before 1970 counts as 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The time at which this process first asked, and what has passed since: it never goes back or jumps, whatever becomes
/// of the machine's clock. Times of an earlier process may lie after it.
pub(crate) fn steady() -> Time {
    static FIRST: OnceLock<(Time, Instant)> = OnceLock::new();
    let (first, at) = FIRST.get_or_init(|| (now(), Instant::now()));
    let passed = i64::try_from(at.elapsed().as_micros()).unwrap_or(i64::MAX);
    Time::from_micros(first.as_micros().saturating_add(passed))
}

/// Waits until then; without a time, for ever.
pub(crate) async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
