//! Waiting for a fact, never for a guessed time.

use std::time::Duration;

use tokio::time::{Instant, interval};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Looks until the answer is `Ok`; at the time-out it tells what was seen last.
pub(crate) async fn eventually<T>(
    fact: &str,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut pace = interval(Duration::from_millis(10));
    loop {
        pace.tick().await;
        match look().await {
            Ok(found) => return found,
            Err(seen) => {
                assert!(Instant::now() < deadline, "never came true: {fact}; last seen: {seen}");
            }
        }
    }
}
