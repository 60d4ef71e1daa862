//! What waits for a consumer, asked every so often: a consumer that is stuck is brought nothing,
//! and so would never tell.

use std::time::Duration;

use tokio::time::interval;

use crate::{Connection, telemetry, topology::Consumer};

const EVERY: Duration = Duration::from_secs(15);

/// Asks until it is aborted.
pub(super) async fn watch(connection: Connection, consumer: Consumer) {
    let mut tick = interval(EVERY);
    loop {
        tick.tick().await;
        let (name, stream) = (consumer.name(), consumer.stream());
        // That it is not there the worker finds out by itself, and says so.
        if let Ok(found) = connection.bus.consumer(stream, name).await {
            telemetry::backlog(name, found.info());
        }
    }
}
