//! Reading request bodies: bounded, JSON only, and drained when the answer does not need them.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Refusal;

/// Bound for every body but images; FaceTec's face scan (350 KB) and WebID's PDF must fit.
const JSON_LIMIT: usize = 8 * 1024 * 1024;

/// What is swallowed of a body nobody wants, so that its sender gets to read the answer instead of
/// a reset; past that the connection may break.
const DRAIN_LIMIT: usize = 128 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// A JSON object; an absent body counts as `{}`.
pub(crate) struct Object(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Object {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, JSON_LIMIT).await?;
        object(&parts.headers, &bytes).map(Self)
    }
}

impl Object {
    /// Reads the members into a type of the wire.
    pub(crate) fn into<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        serde_json::from_value(Value::Object(self.0))
            .map_err(|_| Refusal::bad_request("A member is missing or of the wrong type."))
    }
}

/// Parses a JSON object.
fn object(headers: &HeaderMap, bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    check_media_type(headers)?;
    serde_json::from_slice(bytes)
        .map_err(|_| Refusal::bad_request("The body is not a JSON object."))
}

/// Refuses a body that doesn't say it is JSON.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .unwrap_or_default()
        .trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be application/json.",
        ));
    }
    Ok(())
}

/// Reads a whole body of at most `limit` bytes; the rest of a larger one is drained.
///
/// # Errors
///
/// 413 when it is larger; 400 when it broke off.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    // Growing by doubling would cost twice the size of a large image.
    let announced = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
    let mut whole = BytesMut::with_capacity(announced.unwrap_or_default().min(limit));
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad_request("The body broke off."))?;
        if whole.len() + chunk.len() > limit {
            drain(Body::from_stream(stream)).await;
            return Err(Refusal::too_large(format!("The body is larger than {limit} bytes.")));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// Swallows a body.
pub(crate) async fn drain(body: Body) {
    let mut stream = body.into_data_stream();
    let swallow = async {
        let mut swallowed = 0;
        while let Some(Ok(chunk)) = stream.next().await {
            swallowed += chunk.len();
            if swallowed > DRAIN_LIMIT {
                break;
            }
        }
    };
    // Out of time is as good as done: the sender is too slow to be spared the reset.
    let _ = tokio::time::timeout(DRAIN_TIME, swallow).await;
}
