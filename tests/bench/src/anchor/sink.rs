//! Stands for Assure where only the way there is measured: reads everything to its end and is
//! content.

use axum::{
    Json, Router,
    body::Body,
    http::StatusCode,
    routing::{any, post},
};
use futures_util::StreamExt;
use serde_json::{Value, json};

pub(super) fn router() -> Router {
    Router::new().route("/token", post(token)).fallback(any(swallow))
}

async fn token() -> Json<Value> {
    Json(json!({ "access_token": "anybody", "expires_in": 3600, "token_type": "Bearer" }))
}

async fn swallow(body: Body) -> StatusCode {
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        if piece.is_err() {
            return StatusCode::BAD_REQUEST;
        }
    }
    StatusCode::NO_CONTENT
}
