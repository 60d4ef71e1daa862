//! Counts what is there, every so often, for metrics: of all services this one does, as it is the
//! one that watches over verifications. Each replica tells the same numbers.

use std::time::Duration;

use opentelemetry::{
    KeyValue, global,
    metrics::{Gauge, Meter},
};
use proofline_ambient::clock;
use proofline_journal::{Census, Error, StreamState};
use proofline_service::Shutdown;
use tokio::time::{MissedTickBehavior, interval};

const EVERY: Duration = Duration::from_secs(15);

struct Gauges {
    open: Gauge<u64>,
    dead_letters: Gauge<u64>,
    dead_letter_age: Gauge<f64>,
    messages: Gauge<u64>,
    bytes: Gauge<u64>,
    replicas: Gauge<u64>,
    current_replicas: Gauge<u64>,
}

impl Gauges {
    fn new(meter: &Meter) -> Self {
        let gauge = |name, unit, about| {
            meter.u64_gauge(name).with_unit(unit).with_description(about).build()
        };
        Self {
            open: gauge(
                "proofline.verifications.open",
                "{verification}",
                "Verifications that have no end yet",
            ),
            dead_letters: gauge(
                "proofline.dead_letters.waiting",
                "{message}",
                "Dead letters that are still there",
            ),
            dead_letter_age: meter
                .f64_gauge("proofline.dead_letters.oldest.age")
                .with_unit("s")
                .with_description("Age of the oldest dead letter; 0 when there is none")
                .build(),
            messages: gauge("proofline.stream.messages", "{message}", "Messages of a stream"),
            bytes: gauge("proofline.stream.size", "By", "Size of a stream on each replica"),
            replicas: gauge(
                "proofline.stream.replicas",
                "{replica}",
                "Replicas that a stream should have",
            ),
            current_replicas: gauge(
                "proofline.stream.current_replicas",
                "{replica}",
                "Replicas of a stream that are there and up to date",
            ),
        }
    }

    fn tell(&self, stream: &StreamState) {
        let labels = [KeyValue::new("stream", stream.name)];
        self.messages.record(stream.messages, &labels);
        self.bytes.record(stream.bytes, &labels);
        self.replicas.record(stream.replicas, &labels);
        self.current_replicas.record(stream.current_replicas, &labels);
        if let Some(letters) = stream.dead_letters() {
            self.dead_letters.record(letters.count, &[]);
            let age = letters.oldest.map(|oldest| clock::now() - oldest).unwrap_or_default();
            self.dead_letter_age.record(age.as_seconds_f64().max(0.0), &[]);
        }
    }
}

/// Counts until stopped.
pub(crate) async fn run(census: Census, stop: Shutdown) {
    let gauges = Gauges::new(&global::meter("proofline"));
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let counted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            counted = count(&census, &gauges) => counted,
        };
        if let Err(error) = counted {
            tracing::debug!(%error, "not everything could be counted");
        }
    }
}

async fn count(census: &Census, gauges: &Gauges) -> Result<(), Error> {
    let open = census.open_verifications().await.map(|open| gauges.open.record(open, &[]));
    // One must not keep the other from being told.
    for stream in census.streams().await? {
        gauges.tell(&stream);
    }
    open
}
