//! What is counted here, with every name in one place. `docs/telemetry.md` says what each means.

use std::{sync::LazyLock, time::Duration};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram, Meter},
};
use proofline_events::{Event, Word, from_timestamp, v1};
use proofline_seal::OpenError;

use crate::bus::PullInfo;

/// Bounds of what takes as long as a handler, in seconds.
const HANDLING: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];
/// Bounds of what takes as long as a verification: seconds where a machine decides, a day where an
/// end-user has to act.
const VERIFYING: [f64; 15] = [
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0, 14_400.0, 43_200.0,
    86_400.0, 604_800.0,
];
/// Bounds of what should be at once, and takes as long as Assure can't be asked otherwise.
const TELLING: [f64; 14] =
    [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0, 3600.0, 86_400.0];

/// Made at the first use, which is after the start of telemetry.
static INSTRUMENTS: LazyLock<Instruments> =
    LazyLock::new(|| Instruments::new(&global::meter("proofline")));

struct Instruments {
    events: Counter<u64>,
    signals: Counter<u64>,
    verification_duration: Histogram<f64>,
    signal_to_end: Histogram<f64>,
    handling: Histogram<f64>,
    deliveries: Counter<u64>,
    pending: Gauge<u64>,
    ack_pending: Gauge<u64>,
    dead_letters: Counter<u64>,
    vault_failures: Counter<u64>,
}

impl Instruments {
    fn new(meter: &Meter) -> Self {
        let counter = |name, unit, about| {
            meter.u64_counter(name).with_unit(unit).with_description(about).build()
        };
        let gauge = |name, about| {
            meter.u64_gauge(name).with_unit("{message}").with_description(about).build()
        };
        let seconds = |name, about, bounds: &[f64]| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(about);
            histogram.with_boundaries(bounds.to_vec()).build()
        };
        Self {
            events: counter("proofline.events", "{event}", "Events appended, by type"),
            signals: counter("proofline.signals", "{signal}", "Signals, by source and outcome"),
            verification_duration: seconds(
                "proofline.verification.duration",
                "Time from a request to its end, by flow and outcome",
                &VERIFYING,
            ),
            signal_to_end: seconds(
                "proofline.signal.end.duration",
                "Time from the signal that led to an end until the end was told, by source",
                &TELLING,
            ),
            handling: seconds(
                "proofline.message.handle.duration",
                "Time to handle a message, by consumer and outcome",
                &HANDLING,
            ),
            deliveries: counter(
                "proofline.consumer.deliveries",
                "{message}",
                "Messages delivered, by consumer, and whether it was the first time",
            ),
            pending: gauge(
                "proofline.consumer.pending",
                "Messages that were not delivered yet, by consumer",
            ),
            ack_pending: gauge(
                "proofline.consumer.ack_pending",
                "Messages that were delivered and are not settled, by consumer",
            ),
            dead_letters: counter(
                "proofline.dead_letters.written",
                "{message}",
                "Messages put aside as dead letters, by consumer and reason",
            ),
            vault_failures: counter(
                "proofline.vault.failures",
                "{failure}",
                "Sealed documents that could not be opened, by reason",
            ),
        }
    }
}

/// An event stands in the log now.
pub(crate) fn appended(event: &Event) {
    let all = &*INSTRUMENTS;
    all.events.add(1, &[KeyValue::new("event", event.event_type().name())]);
    if let Event::ProcessFinished(end) = event {
        let time = |time: &Option<_>| time.as_ref().and_then(from_timestamp);
        if let (Some(begun), Some(ended)) = (time(&end.requested_at), time(&end.finished_at)) {
            let labels = [
                KeyValue::new("flow", end.flow().word()),
                KeyValue::new("outcome", end.outcome().word()),
            ];
            all.verification_duration.record((ended - begun).as_seconds_f64().max(0.0), &labels);
        }
    }
}

/// A signal came, perhaps once more.
pub(crate) fn signalled(source: v1::SignalSource, outcome: &'static str) {
    let labels = [KeyValue::new("source", source.word()), KeyValue::new("outcome", outcome)];
    INSTRUMENTS.signals.add(1, &labels);
}

/// A signal of this age led to an end.
pub fn told_an_end(source: v1::SignalSource, age: Duration) {
    let labels = [KeyValue::new("source", source.word())];
    INSTRUMENTS.signal_to_end.record(age.as_secs_f64(), &labels);
}

/// A consumer was brought a message.
pub(crate) fn delivered(consumer: &'static str, is_first: bool) {
    let labels = [KeyValue::new("consumer", consumer), KeyValue::new("redelivered", !is_first)];
    INSTRUMENTS.deliveries.add(1, &labels);
}

/// A message was handled.
pub(crate) fn handled(consumer: &'static str, outcome: &'static str, duration: Duration) {
    let labels = [KeyValue::new("consumer", consumer), KeyValue::new("outcome", outcome)];
    INSTRUMENTS.handling.record(duration.as_secs_f64(), &labels);
}

/// What waits for a consumer.
pub(crate) fn waiting(consumer: &'static str, pending: u64) {
    INSTRUMENTS.pending.record(pending, &[KeyValue::new("consumer", consumer)]);
}

/// What waits for a consumer, and what it has not settled.
pub(crate) fn backlog(consumer: &'static str, info: PullInfo) {
    waiting(consumer, info.pending);
    INSTRUMENTS.ack_pending.record(info.unsettled, &[KeyValue::new("consumer", consumer)]);
}

/// The same for the dead letters of a consumer.
pub(crate) fn none_buried_yet(consumer: &'static str) {
    for reason in ["unreadable", "bug"] {
        let labels = [KeyValue::new("consumer", consumer), KeyValue::new("reason", reason)];
        INSTRUMENTS.dead_letters.add(0, &labels);
    }
}

/// A message was put aside. `reason` is one of our codes.
pub(crate) fn buried(consumer: &str, reason: &'static str) {
    let labels = [KeyValue::new("consumer", consumer.to_owned()), KeyValue::new("reason", reason)];
    INSTRUMENTS.dead_letters.add(1, &labels);
}

/// Tells of every reason before there is any: a counter that begins with its first failure has no
/// increase that anybody could be alerted by.
pub(crate) fn no_vault_failures_yet() {
    for reason in ["data_key_missing", "unknown_key", "forged"] {
        INSTRUMENTS.vault_failures.add(0, &[KeyValue::new("reason", reason)]);
    }
}

/// There is no data key where there should be one.
pub(crate) fn data_key_missing() {
    INSTRUMENTS.vault_failures.add(1, &[KeyValue::new("reason", "data_key_missing")]);
}

/// Something sealed did not open.
pub(crate) fn not_opened(error: &OpenError) {
    let reason = match error {
        OpenError::UnknownKey(_) => "unknown_key",
        OpenError::Forged => "forged",
        OpenError::TooLarge { .. } => "too_large",
    };
    INSTRUMENTS.vault_failures.add(1, &[KeyValue::new("reason", reason)]);
}
