//! The trace context of an event, in its handler.

use opentelemetry::{
    global,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use proofline_events::EventType;
use tokio::sync::mpsc;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::bench::{Bench, fresh_key, headers, payload};

#[tokio::test]
async fn a_handler_works_in_the_trace_that_its_event_was_published_in() {
    // For all tests of this process: their events have no trace context.
    let tracer = SdkTracerProvider::default().tracer("test");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    global::set_text_map_propagator(TraceContextPropagator::new());
    let (bench, key) = (Bench::new().await, fresh_key());
    let (handled, mut traces) = mpsc::unbounded_channel();
    let _running = bench.run(bench.subscription(), move |delivery| {
        let handled = handled.clone();
        async move {
            let trace = Span::current().context().span().span_context().trace_id().to_string();
            handled.send((trace, delivery.traceparent)).unwrap();
            Ok(())
        }
    });

    let trace = "0af7651916cd43dd8448eb211c80319c";
    let traceparent = format!("00-{trace}-b7ad6b7169203331-01");
    let mut headers = headers(&key);
    headers.push(("traceparent", traceparent.clone()));
    bench.publish(&EventType::ProcessFinished.subject(&key), &headers, payload(&key)).await;

    assert_eq!(traces.recv().await.unwrap(), (trace.to_owned(), Some(traceparent)));
}
