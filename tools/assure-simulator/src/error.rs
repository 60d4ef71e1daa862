//! Refusals, in the two shapes that Assure and the platform before it use.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use proofline_assure::wire::ErrorBody;
use uuid::Uuid;

/// A call that was refused. The body is written by [`complete`], which knows the request.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: StatusCode,
    detail: String,
    shape: Shape,
}

/// Which of the two error bodies to write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Assure's own: `instance`, `method`, `type`, …
    Assure,
    /// The platform's, with its constant `code`.
    Platform(&'static str),
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), shape: Shape::Assure }
    }

    pub(crate) fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("There is no such {what}."))
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// The platform's answer to a missing, unknown or expired token.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The access token is missing, unknown or expired.")
            .shaped(Shape::Platform("invalid_token"))
    }

    fn answer(self, method: &Method, path: &str) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error").to_owned();
        let mut body = ErrorBody {
            status: Some(self.status.as_u16()),
            title: Some(title),
            detail: Some(self.detail),
            trace_id: Some(Uuid::new_v4().simple().to_string()),
            ..ErrorBody::default()
        };
        match self.shape {
            Shape::Assure => {
                body.instance = Some(path.to_owned());
                body.method = Some(method.to_string());
                body.kind = Some(if self.status.is_client_error() {
                    "base:client-problem".to_owned()
                } else {
                    "base:server-problem".to_owned()
                });
            }
            Shape::Platform(code) => {
                body.kind = Some(format!("https://developer.signicat.example/errors/{code}"));
                body.code = Some(code.to_owned());
            }
        }
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a refusal; other answers pass unchanged.
pub(crate) fn complete(mut response: Response, method: &Method, path: &str) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else {
        return response;
    };
    let mut completed = refusal.answer(method, path);
    // What was added on the way out (Retry-After of a fault) stays.
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            completed.headers_mut().insert(name, value.clone());
        }
    }
    completed
}
