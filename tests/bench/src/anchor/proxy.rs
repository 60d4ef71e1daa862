//! The plainest way to carry an image on: the body goes through as it comes.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    routing::put,
};
use reqwest::{Client, redirect::Policy};

pub(super) fn router(to: String) -> Router {
    let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    Router::new().fallback(put(pass_on)).with_state((client, to))
}

async fn pass_on(
    State((client, to)): State<(Client, String)>,
    request: Request<Body>,
) -> StatusCode {
    let (parts, body) = request.into_parts();
    let mut onward = client.post(to).body(reqwest::Body::wrap_stream(body.into_data_stream()));
    if let Some(length) = parts.headers.get(header::CONTENT_LENGTH) {
        onward = onward.header(header::CONTENT_LENGTH, length);
    }
    match onward.send().await {
        Ok(answer) if answer.status().is_success() => StatusCode::NO_CONTENT,
        Ok(_) | Err(_) => StatusCode::BAD_GATEWAY,
    }
}
