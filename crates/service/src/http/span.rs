//! A span and a duration for every request, by its route.
//!
//! The path itself is never recorded: on some routes it holds a token.

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use opentelemetry::{KeyValue, global, metrics::Histogram, trace::TraceContextExt};
use tracing::{Instrument, debug, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::telemetry::context;

/// The bounds that OpenTelemetry's conventions advise for this metric, in seconds.
const BOUNDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Whose requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Ours: a request goes on in the trace that it names.
    Known,
    /// Strangers: what they name is linked at most. They must not decide what is sampled, nor put
    /// their spans into somebody's trace; and a callback comes hours after the trace it may name.
    Strangers,
}

/// Gives each request a server span named by method and route, 500 for a panic, and measures `http.server.request.duration` until the head of the response. [`super::serve`] does
/// this already; it is public for tests that call a router directly.
pub fn traced(router: Router, callers: Callers) -> Router {
    let duration = global::meter("proofline")
        .f64_histogram("http.server.request.duration")
        .with_unit("s")
        .with_description("Duration of HTTP server requests, until the head of the response.")
        .with_boundaries(BOUNDS.to_vec())
        .build();
    router.layer(from_fn_with_state((duration, callers), server_span))
}

async fn server_span(
    State((duration, callers)): State<(Histogram<f64>, Callers)>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let name = route.as_ref().map_or(method.to_owned(), |route| format!("{method} {route}"));
    let span = info_span!(
        "http.request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        error.type = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        url.scheme = "http",
        // For handlers to record.
        verification.id = Empty,
    );
    let headers = request.headers();
    let parent = context::extract(|name| Some(headers.get(name)?.to_str().ok()?.to_owned()));
    match callers {
        // Fails only where no tracer is installed, in tests.
        Callers::Known => drop(span.set_parent(parent)),
        Callers::Strangers => span.add_link(parent.span().span_context().clone()),
    }

    let answering = AssertUnwindSafe(next.run(request).instrument(span.clone()));
    // A panic was logged where it happened.
    let response = answering.catch_unwind().await;
    let response = response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());

    let status = response.status();
    let elapsed = started.elapsed();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
    span.in_scope(|| {
        debug!(status = status.as_u16(), duration_ms = elapsed.as_secs_f64() * 1e3, "answered");
    });
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
    ];
    attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
    duration.record(elapsed.as_secs_f64(), &attributes);
    response
}

/// Strangers may invent methods; each would be a new series.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "CONNECT" => "CONNECT",
        "DELETE" => "DELETE",
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "POST" => "POST",
        "PUT" => "PUT",
        "TRACE" => "TRACE",
        _ => "_OTHER",
    }
}

#[cfg(test)]
mod tests;
