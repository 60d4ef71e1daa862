//! One message: its handler in a span, with progress shown while it works.

use std::{future::Future, sync::Arc, time::Duration};

use async_nats::jetstream::{AckKind, Message};
use tokio::time::interval;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{Delivery, Failure, delivery, trace};

/// The span that a message is handled in: a child of the one it was published in, so that
/// whatever the handler calls continues that trace.
pub(crate) fn span(durable: &str, message: &Message) -> Span {
    let span = tracing::info_span!(
        "subscriber.handle",
        otel.name = format!("process {durable}"),
        otel.kind = "consumer",
        messaging.system = "nats",
        messaging.consumer.group.name = durable,
        messaging.message.id = Empty,
        verification.id = Empty,
    );
    // Without a context, or a layer that knows of contexts, the span is a root: which it then is.
    let _ = span.set_parent(trace::extract(message.headers.as_ref()));
    span
}

/// Runs the handler in a task of its own, so that a panic in it is one event's trouble and work
/// that blocks its thread still shows progress.
pub(crate) async fn handle<H, F>(
    durable: &str,
    message: &Message,
    ack_wait: Duration,
    handler: Arc<H>,
) -> Result<(), Failure>
where
    H: Fn(Delivery) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let delivery = delivery::read(durable, message)?;
    let span = Span::current();
    span.record("messaging.message.id", &delivery.event_id);
    span.record("verification.id", &delivery.event.verification_id);
    // Not left behind when the subscription is dropped: the event comes again then.
    let work = async move { handler(delivery).await };
    let mut work = AbortOnDropHandle::new(tokio::spawn(work.in_current_span()));
    let mut progress = interval(ack_wait / 3);
    progress.tick().await;
    loop {
        tokio::select! {
            result = &mut work => {
                return result.unwrap_or_else(|_| Err(Failure::panic()));
            }
            _ = progress.tick() => {
                if let Err(error) = message.ack_with(AckKind::Progress).await {
                    tracing::debug!(%error, "progress could not be shown");
                }
            }
        }
    }
}
