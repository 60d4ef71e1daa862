//! Requests that were not what they claimed to be.

use std::sync::LazyLock;

use opentelemetry::{KeyValue, global, metrics::Counter};

static REFUSALS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("proofline")
        .u64_counter("proofline.unauthentic.requests")
        .with_unit("{request}")
        .with_description("Requests with a wrong token, signature or authorisation, by route")
        .build()
});

/// A request to this route had a token, a signature or an authorisation that is not ours or has
/// run out. One now and then is a stranger; many are a key or an address that is wrong somewhere.
pub fn unauthentic(route: &'static str) {
    REFUSALS.add(1, &[KeyValue::new("route", route)]);
}
