//! Processor time of tasks: the runtime's threads are shared by all of them, so that the kernel's account by thread
//! does not tell what a stage costs.
//!
//! **Invariant:** what a task gives to another thread (the writer, the inspectors) is not counted here; those threads
//! have names.

use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};

use prometheus_client::metrics::counter::Counter;
use rustix::time::{ClockId, clock_gettime};

/// Seconds of processor time.
pub(super) type Seconds = Counter<f64, AtomicU64>;

/// A task that counts the processor time of each of its turns; two readings of the thread's clock (under a microsecond)
/// a turn.
pub struct Metered<F> {
    task: Pin<Box<F>>,
    spent: Seconds,
}

impl<F: Future> Metered<F> {
    pub(super) fn new(task: F, spent: Seconds) -> Metered<F> {
        Metered {
            task: Box::pin(task),
            spent,
        }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_seconds();
        let turn = self.task.as_mut().poll(context);
        // The clock of a thread does not go back; `inc_by` must never see what is negative.
        self.spent.inc_by((thread_seconds() - began).max(0.0));
        turn
    }
}

/// Processor time of this thread, in seconds.
fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_counts_and_waiting_does_not() {
        let spent = Seconds::default();
        let work = async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let began = thread_seconds();
            while thread_seconds() - began < 0.002 {
                std::hint::spin_loop();
            }
            7
        };
        assert_eq!(Metered::new(work, spent.clone()).await, 7);
        assert!((0.002..0.04).contains(&spent.get()), "{}", spent.get());
    }
}
