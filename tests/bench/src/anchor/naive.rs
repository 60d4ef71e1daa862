//! The receiver that one writes first: parse an id, publish it with `Nats-Msg-Id`, wait for the
//! acknowledgement, answer 204. No authentication, validation, tracing, metrics or log.

use async_nats::{HeaderMap, header, jetstream};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};

use super::{Callback, STREAM};

pub(super) async fn router(nats: &str) -> Router {
    let jetstream = jetstream::new(async_nats::connect(nats).await.unwrap());
    Router::new().route("/callbacks/{token}", post(receive)).with_state(jetstream)
}

async fn receive(
    State(jetstream): State<jetstream::Context>,
    Path(_): Path<String>,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let Json(callback) =
        Json::<Callback>::from_bytes(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let id = callback.process_id;
    let mut headers = HeaderMap::new();
    headers.insert(header::NATS_MESSAGE_ID, id.as_str());
    let subject = format!("{STREAM}.{id}");
    let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
    let ack = jetstream.publish_with_headers(subject, headers, body).await.map_err(unavailable)?;
    ack.await.map_err(unavailable)?;
    Ok(StatusCode::NO_CONTENT)
}
