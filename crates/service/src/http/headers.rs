//! What every answer tells a browser, whatever the route: it is data for whoever asked, and nothing
//! to keep, to guess at, to run or to frame. (A handler that says otherwise for itself is heard.)

use axum::{
    http::{
        HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    response::Response,
};

const USUAL: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    // Some addresses hold a token.
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// What a handler has set stays.
pub(super) fn add(response: &mut Response) {
    for (name, value) in USUAL {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
