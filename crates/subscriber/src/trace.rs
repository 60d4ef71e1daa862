//! The trace context in message headers.

use async_nats::HeaderMap;
use opentelemetry::{Context, global, propagation::Extractor};

pub(crate) const TRACEPARENT: &str = "traceparent";

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_ref()).collect()
    }
}

/// The context a message was published in, read by the propagator that the application has set.
pub(crate) fn extract(headers: Option<&HeaderMap>) -> Context {
    headers.map_or_else(Context::new, |headers| {
        global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)))
    })
}
