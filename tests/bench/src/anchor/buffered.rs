//! The way one writes first to carry an image on as Assure wants it: the whole is waited for, encoded
//! and sent.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    routing::put,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, redirect::Policy};
use serde_json::json;

pub(super) fn router(to: String) -> Router {
    let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let router = Router::new().fallback(put(carry_on)).with_state((client, to));
    router.layer(DefaultBodyLimit::disable())
}

async fn carry_on(State((client, to)): State<(Client, String)>, image: Bytes) -> StatusCode {
    let data_url = format!("data:image/jpeg;base64,{}", STANDARD.encode(&image));
    let body = json!({ "image": data_url }).to_string();
    let onward = client.post(to).header(header::CONTENT_TYPE, "application/json").body(body);
    match onward.send().await {
        Ok(answer) if answer.status().is_success() => StatusCode::NO_CONTENT,
        Ok(_) | Err(_) => StatusCode::BAD_GATEWAY,
    }
}
