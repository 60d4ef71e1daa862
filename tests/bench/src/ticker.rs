//! When things are due that happen at a rate.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// tokio's clock has no finer steps.
const STEP: Duration = Duration::from_millis(1);

/// One point in time after the other.
pub(crate) struct Ticker {
    next: Instant,
    period: Duration,
}

impl Ticker {
    /// The first is now.
    pub(crate) fn new(period: Duration) -> Self {
        Self { next: Instant::now(), period }
    }

    /// Waits for the next; its time, which may have been a while ago.
    pub(crate) async fn next(&mut self) -> Instant {
        let due = self.next;
        self.next += self.period;
        if due > Instant::now() + STEP {
            sleep_until(due).await;
        }
        due
    }
}
