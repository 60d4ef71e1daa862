//! How a connection to NATS fares, in metrics.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_nats::Event;
use opentelemetry::{
    global,
    metrics::{Counter, Gauge},
};

/// Of one connection.
#[derive(Clone)]
pub(crate) struct Fate {
    was_connected: Arc<AtomicBool>,
    is_connected: Gauge<u64>,
    reconnects: Counter<u64>,
}

impl Fate {
    /// Not connected yet.
    pub(crate) fn new() -> Self {
        let meter = global::meter("proofline");
        let fate = Self {
            was_connected: Arc::default(),
            is_connected: meter
                .u64_gauge("proofline.nats.connected")
                .with_description("Whether NATS is connected: 1 or 0")
                .build(),
            reconnects: meter
                .u64_counter("proofline.nats.reconnects")
                .with_unit("{connection}")
                .with_description("Connections to NATS that were made anew after one was lost")
                .build(),
        };
        fate.is_connected.record(0, &[]);
        fate.reconnects.add(0, &[]);
        fate
    }

    /// What the client tells.
    pub(crate) fn hear(&self, event: &Event) {
        match event {
            Event::Connected => {
                self.is_connected.record(1, &[]);
                let is_again = self.was_connected.swap(true, Ordering::Relaxed);
                self.reconnects.add(u64::from(is_again), &[]);
            }
            Event::Disconnected | Event::Closed => self.is_connected.record(0, &[]),
            Event::ServerError(_)
            | Event::ClientError(_)
            | Event::LameDuckMode
            | Event::Draining
            | Event::SlowConsumer(_) => {}
        }
    }
}
