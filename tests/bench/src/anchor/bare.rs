//! An axum server that parses an id and answers.

use axum::{Json, Router, extract::Path, http::StatusCode, routing::post};

use super::Callback;

pub(super) fn router() -> Router {
    Router::new().route("/callbacks/{token}", post(receive))
}

async fn receive(Path(_): Path<String>, Json(callback): Json<Callback>) -> StatusCode {
    if callback.process_id.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::NO_CONTENT }
}
