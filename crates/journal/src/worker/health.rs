//! How a worker fares, for readiness and metrics.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{KeyValue, global, metrics::Histogram};

/// Whether a worker is consuming.
#[derive(Debug, Clone)]
pub struct Health {
    name: &'static str,
    is_consuming: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, is_consuming: Arc::default() }
    }

    pub(crate) fn consuming(&self) {
        self.is_consuming.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stopped(&self) {
        self.is_consuming.store(false, Ordering::Relaxed);
    }

    /// The consumer's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether messages would be handled now.
    ///
    /// # Errors
    /// A sentence for operators.
    pub fn check(&self) -> Result<(), String> {
        if self.is_consuming.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(format!("consumer {} is not there", self.name))
        }
    }
}

static HANDLED: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("proofline")
        .f64_histogram("proofline.message.handle.duration")
        .with_unit("s")
        .with_description("Time to handle a message, by consumer and outcome")
        .build()
});

pub(super) fn record(consumer: &'static str, outcome: &'static str, duration: Duration) {
    let labels = [KeyValue::new("consumer", consumer), KeyValue::new("outcome", outcome)];
    HANDLED.record(duration.as_secs_f64(), &labels);
}
