//! Trace context: from the appending span, through the log, to the handler.

use opentelemetry::{
    global,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use proofline_events::Service;
use proofline_journal::{
    topology::Consumer,
    worker::{Handled, Worker},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::harness::{Broker, fresh_key, last_on, now, request};

#[tokio::test]
async fn a_handler_works_in_the_trace_that_its_event_was_appended_in() {
    // For all tests of this process: a subscriber for one thread is not reliable beside threads
    // without one. The others append outside of any span, so their events have no traceparent.
    let tracer = SdkTracerProvider::default().tracer("test");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    global::set_text_map_propagator(TraceContextPropagator::new());
    let broker = Broker::provisioned().await;
    let (key, journal) = (fresh_key(), broker.journal(Service::Intake).await);
    let span = tracing::info_span!("intake.create");
    let trace = trace_of(&span);

    journal.execute(&key, request(), now()).instrument(span).await.unwrap();

    let subject = format!("proofline.v1.verification-requested.{key}");
    let headers = last_on(&broker.raw().await, "VERIFICATIONS", &subject).await.headers;
    let parent = headers.get("traceparent").unwrap().as_str().to_owned();
    assert!(parent.starts_with(&format!("00-{trace}-")) && parent.ends_with("-01"), "{parent}");
    assert!(headers.get("tracestate").is_none());
    let (handled, mut traces) = mpsc::unbounded_channel();
    let (connection, stop) = (broker.connect().await, CancellationToken::new());
    let worker = Worker::new(connection, Consumer::VerifierRequests, 1, stop.clone());
    let worker = tokio::spawn(worker.run_events(move |_| {
        let handled = handled.clone();
        async move {
            handled.send(trace_of(&Span::current())).unwrap();
            Ok(Handled::Done)
        }
    }));
    assert_eq!(traces.recv().await.unwrap(), trace);
    stop.cancel();
    worker.await.unwrap();
}

fn trace_of(span: &Span) -> String {
    span.context().span().span_context().trace_id().to_string()
}
