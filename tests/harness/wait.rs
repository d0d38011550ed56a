//! Waiting for something to become true, in place of sleeping and hoping.
//!
//! **Invariant**: a wait that runs out says what it waited for, so that a failed run can be read from its last line.

use std::time::{Duration, Instant};

/// How often a condition is asked. Short against a broker's answer (about 1 ms), long enough to cost no CPU.
const INTERVAL: Duration = Duration::from_millis(20);

/// Asks `condition` until it is true.
///
/// # Panics
/// When `deadline` has passed; the message names `what` was awaited. A condition that itself hangs is cut off too.
pub async fn wait_until(what: &str, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    wait_for(what, deadline, async || condition().await.then_some(())).await;
}

/// Asks `question` until it has an answer, and returns that.
///
/// # Panics
/// As [`wait_until`].
pub async fn wait_for<T>(what: &str, deadline: Duration, mut question: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    let asking = async {
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    };
    match tokio::time::timeout(deadline, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!(
            "waited {:.1} s in vain until {what}",
            started.elapsed().as_secs_f64()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_wait_returns_the_first_answer() {
        let mut asked = 0;
        let answer = wait_for("the third question", Duration::from_secs(5), async || {
            asked += 1;
            (asked == 3).then_some(asked)
        })
        .await;
        assert_eq!(answer, 3);
    }

    #[tokio::test]
    async fn a_wait_in_vain_names_what_was_awaited() {
        let waiting = wait_until("pigs fly", Duration::from_millis(50), async || false);
        let panic = AssertUnwindSafe(waiting)
            .catch_unwind()
            .await
            .expect_err("nothing ever became true");
        let message = panic
            .downcast_ref::<String>()
            .expect("panics with a formatted message");
        assert!(message.contains("pigs fly"), "{message}");
    }
}
