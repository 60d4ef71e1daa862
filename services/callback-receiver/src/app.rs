//! The routes, and what all answers have in common.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    routing::post,
};
use proofline_journal::SignalSink;
use proofline_problem::{Code, Problem};
use proofline_seal::Keyring;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::callback;

/// What the routes use.
pub(crate) struct App {
    pub(crate) signals: SignalSink,
    pub(crate) token_keys: Keyring,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/callbacks/{token}", post(callback::receive))
        .method_not_allowed_fallback(async || {
            Problem::of_status(StatusCode::METHOD_NOT_ALLOWED, "This address takes POST.")
        })
        .fallback(async || Problem::new(Code::NotFound, "There is nothing at this address."))
        .layer(SetResponseHeaderLayer::overriding(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .with_state(Arc::new(app))
}
