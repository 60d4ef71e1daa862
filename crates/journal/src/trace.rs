//! Trace context in message headers, and the spans of publishing and handling.
//!
//! What follows at once from something is a child of it. What comes later (a timer, a message that
//! waited or comes again after a while) begins a trace of its own, linked to what it follows from:
//! a span of yesterday is closed, and a trace that lasts a day can't be read or sampled.

use std::time::Duration;

use async_nats::HeaderMap;
use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector},
    trace::TraceContextExt,
};
use proofline_ambient::clock;
use proofline_events::{EventType, VerificationKey, header};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::bus::Delivered;

/// A message of this age is no longer handled within the trace it was published in.
const AT_ONCE: Duration = Duration::from_secs(600);

struct Out<'a>(&'a mut HeaderMap);

impl Injector for Out<'_> {
    fn set(&mut self, name: &str, value: String) {
        // The propagator writes a `tracestate` even when there is none.
        if !value.is_empty() {
            self.0.insert(name, value);
        }
    }
}

struct In<'a>(&'a HeaderMap);

impl Extractor for In<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_ref()).collect()
    }
}

/// Writes the current span's context.
pub(crate) fn inject(headers: &mut HeaderMap) {
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut Out(headers))
    });
}

/// Reads the context a message was published in.
pub(crate) fn extract(headers: Option<&HeaderMap>) -> Context {
    headers.map_or_else(Context::new, |headers| {
        global::get_text_map_propagator(|propagator| {
            propagator.extract_with_context(&Context::new(), &In(headers))
        })
    })
}

/// The span of publishing an event.
pub(crate) fn publishing(event: EventType, key: &VerificationKey, id: &str) -> Span {
    tracing::info_span!(
        // A name of its own, so that logs can leave it out: what is logged within says what it is
        // about, and each of these has a dozen fields.
        target: "proofline::publish",
        "publish",
        otel.name = format!("publish proofline.v1.{event}"),
        otel.kind = "producer",
        otel.status_code = Empty,
        error.type = Empty,
        messaging.system = "nats",
        messaging.operation.name = "publish",
        messaging.operation.type = "send",
        messaging.destination.name = event.subject(key),
        messaging.destination.template = template(&format!("proofline.v1.{event}")),
        messaging.message.id = id,
        verification.id = key.id.as_str(),
    )
}

/// The span of handling a message that a consumer was brought.
pub(crate) fn handling(consumer: &'static str, message: &Delivered, is_timer: bool) -> Span {
    let subject = message.subject.as_str();
    let what = what(subject);
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {what}"),
        otel.kind = "consumer",
        otel.status_code = Empty,
        error.type = Empty,
        messaging.consumer.group.name = consumer,
        verification.id = Empty,
    );
    // Not as fields: those are in every log line within.
    span.set_attribute("messaging.system", "nats");
    span.set_attribute("messaging.operation.name", "process");
    span.set_attribute("messaging.operation.type", "process");
    span.set_attribute("messaging.destination.name", subject.to_owned());
    span.set_attribute("messaging.destination.template", template(what));
    if let Some(id) = message.headers.as_ref().and_then(|headers| headers.get(header::ID)) {
        span.set_attribute("messaging.message.id", id.as_str().to_owned());
    }
    let from = extract(message.headers.as_ref());
    let follows_at_once = !is_timer && age(message).is_some_and(|age| age < AT_ONCE);
    if follows_at_once {
        // An unsampled or missing context leaves the span a root, which is what it then is.
        let _ = span.set_parent(from);
    } else {
        span.add_link(from.span().span_context().clone());
    }
    span
}

/// A span that did not end well.
pub(crate) fn failed(span: &Span, error: &'static str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error);
}

fn template(what: &str) -> String {
    format!("{what}.{{tenant}}.{{verification}}")
}

/// The subject without whose it is.
fn what(subject: &str) -> &str {
    let whose = subject.rmatch_indices('.').nth(1).map_or(subject.len(), |(place, _)| place);
    &subject[..whose]
}

fn age(message: &Delivered) -> Option<Duration> {
    let age = clock::now() - message.position?.stored_at;
    // A clock that differs a little makes it negative: it is new.
    Some(Duration::try_from(age).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_span_says_what_came_and_not_whose() {
        assert_eq!(
            what("proofline.v1.process-finished.acme.vrf_1"),
            "proofline.v1.process-finished"
        );
        assert_eq!(
            what("proofline.timer.v1.due.deadline.acme.vrf_1"),
            "proofline.timer.v1.due.deadline"
        );
        assert_eq!(what("odd"), "odd");
    }
}
