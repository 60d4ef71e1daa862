//! Trace context (W3C `traceparent`, `tracestate`) in headers of any kind: HTTP, NATS.

use std::collections::HashMap;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Gives the headers of the current span to `set`; none when it has no context. The names are in
/// lower case, which matters in NATS headers.
pub fn inject(set: &mut impl FnMut(&str, String)) {
    let propagator = TraceContextPropagator::new();
    propagator.inject_context(&Span::current().context(), &mut Setter(set));
}

/// The context in the headers that `get` looks up; an empty one when there is none or it is
/// malformed. Hand it to `Span::set_parent` before the span is entered, or to `add_link`.
pub fn extract(get: impl Fn(&str) -> Option<String>) -> Context {
    let propagator = TraceContextPropagator::new();
    let found = propagator.fields().filter_map(|name| Some((name, get(name)?)));
    let found: HashMap<_, _> = found.collect();
    if found.is_empty() {
        return Context::new();
    }
    propagator.extract_with_context(&Context::new(), &Found(found))
}

struct Setter<'a, F>(&'a mut F);

impl<F: FnMut(&str, String)> Injector for Setter<'_, F> {
    fn set(&mut self, name: &str, value: String) {
        // An empty tracestate says nothing.
        if !value.is_empty() {
            (self.0)(name, value);
        }
    }
}

struct Found<'a>(HashMap<&'a str, String>);

impl Extractor for Found<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{TraceContextExt, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers_in(parent: Option<&str>) -> HashMap<String, String> {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        let subscriber = tracing_subscriber::registry().with(layer);
        let mut headers = HashMap::new();
        tracing::subscriber::with_default(subscriber, || {
            let span = info_span!("a");
            let context =
                extract(|name| parent.filter(|_| name == "traceparent").map(str::to_owned));
            span.set_parent(context).unwrap();
            span.in_scope(|| {
                inject(&mut |name, value| {
                    headers.insert(name.to_owned(), value);
                });
            });
        });
        headers
    }

    #[test]
    fn a_trace_goes_on_through_extract_and_inject() {
        let headers = headers_in(Some(PARENT));
        let context = extract(|name| headers.get(name).cloned());
        let span = context.span().span_context().clone();
        assert_eq!(span.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_ne!(span.span_id().to_string(), "b7ad6b7169203331");
        assert!(span.is_remote());
        assert_eq!(headers.len(), 1, "{headers:?}");
    }

    #[test]
    fn a_trace_begins_where_none_or_a_malformed_one_came_in() {
        for parent in [None, Some("00-0-0-0"), Some("")] {
            let headers = headers_in(parent);
            assert!(headers["traceparent"].starts_with("00-"), "{headers:?}");
        }
    }

    #[test]
    fn without_a_span_nothing_is_injected() {
        inject(&mut |name, _| panic!("{name} was set"));
    }
}
