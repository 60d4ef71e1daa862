//! Trying again what a server does not do for a moment, as while a cluster elects who decides.

use std::time::Duration;

use tokio::time::{Instant, interval};

/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// The first success, or the last error once it has been tried long enough.
pub(crate) async fn patiently<T, E>(
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let until = Instant::now() + PATIENCE;
    let mut pace = interval(PAUSE);
    loop {
        pace.tick().await;
        match attempt().await {
            Err(_) if Instant::now() < until => {}
            result => return result,
        }
    }
}
