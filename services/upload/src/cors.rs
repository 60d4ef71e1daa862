//! Cross-origin requests: a browser on one of a tenant's web origins may upload with a signed URL.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use proofline_seal::Purpose;
use time::OffsetDateTime;

use crate::{Settings, access::token_of, app::SharedApp};

/// How long a browser may remember the answer to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// `OPTIONS`: what a browser asks before it uploads.
pub(crate) async fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("PUT")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type")),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Names the origin in the answer, if it may read it.
pub(crate) async fn allow(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let origin = allowed_origin(&app.settings, request.headers(), request.uri());
    let mut response = next.run(request).await;
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static("retry-after");
        response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

/// The tenant is known by the signed URL alone: an API key has no place in a browser.
fn allowed_origin(settings: &Settings, headers: &HeaderMap, uri: &Uri) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let token = token_of(uri)?;
    // A URL whose time is over still tells whose it is, and its page must be able to read that.
    let whenever = OffsetDateTime::UNIX_EPOCH;
    let redeemed = settings.token_keys.redeem(Purpose::Upload, &token, whenever).ok()?;
    let tenant = settings.tenants.get(&redeemed.capability.tenant)?;
    tenant.lists_origin(origin.to_str().ok()?).then(|| origin.clone())
}
