//! The one place that reads the clock.
//!
//! Everything else is given its time, so that tests choose it.

use std::time::{SystemTime, UNIX_EPOCH};

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
