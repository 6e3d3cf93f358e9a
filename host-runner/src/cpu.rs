//! Computing time: what a guest's thread spends while the guest's future is polled.
//!
//! The clock of the epoch goes on while others have the thread, so it measures time on the wall. Here the thread's own
//! clock is read before and after every poll; a guest that never returns from one is looked at from within, at every
//! tick of the epoch, which happens on the same thread.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What one request, call or program has computed so far. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Meter(Arc<Times>);

#[derive(Default)]
struct Times {
    /// Nanoseconds in polls that have ended.
    before: AtomicU64,
    /// The thread's clock when the current poll began, in nanoseconds.
    since: AtomicU64,
}

impl Meter {
    /// Begins anew.
    pub(crate) fn reset(&self) {
        self.0.before.store(0, Ordering::Relaxed);
    }

    /// What was computed until now. Only to be asked from within a poll.
    pub(crate) fn used(&self) -> Duration {
        let now = thread_time().saturating_sub(self.0.since.load(Ordering::Relaxed));
        Duration::from_nanos(self.0.before.load(Ordering::Relaxed).saturating_add(now))
    }

    /// Measures a future.
    pub(crate) fn measure<F: Future>(&self, future: Pin<&mut F>) -> impl Future<Output = F::Output> {
        Metered { future, meter: self.clone() }
    }
}

struct Metered<'a, F> {
    future: Pin<&'a mut F>,
    meter: Meter,
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_time();
        // One thread polls at a time, and whoever takes a future over from another thread sees what that one wrote.
        self.meter.0.since.store(began, Ordering::Relaxed);
        let outcome = self.future.as_mut().poll(context);
        let spent = thread_time().saturating_sub(began);
        self.meter.0.before.fetch_add(spent, Ordering::Relaxed);
        outcome
    }
}

/// What this thread has computed, in nanoseconds.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Never negative, and five hundred years fit.
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn computing_counts_and_waiting_does_not() {
        let meter = Meter::default();
        let spin = || {
            let until = thread_time() + 20_000_000;
            while thread_time() < until {
                std::hint::spin_loop();
            }
        };
        let waits = std::pin::pin!(async {
            spin();
            // Another future on the same thread computes meanwhile.
            tokio::task::yield_now().await;
            meter.used()
        });
        let (used, ()) = tokio::join!(meter.measure(waits), async { spin() });
        assert!(used >= Duration::from_millis(20), "{used:?}");
        assert!(used < Duration::from_millis(40), "the other future's time was counted: {used:?}");
        meter.reset();
        assert_eq!(meter.0.before.load(Ordering::Relaxed), 0);
    }
}
