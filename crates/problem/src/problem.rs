//! A problem document and how it is answered.

use std::fmt;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::code::Code;

const STANDARD_MEMBERS: [&str; 6] = ["type", "title", "status", "detail", "instance", "errors"];

/// A failed request, as its caller is told. Built step by step, then returned from a handler.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    kind: Kind,
    detail: String,
    retry_after: Option<Duration>,
    faults: Vec<Fault>,
    extensions: Map<String, Value>,
}

/// One thing that is wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON Pointer into the request body, empty for the whole of it.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Code(Code),
    Status(StatusCode),
}

impl Problem {
    /// A problem with `code`; `detail` says what happened this time, to somebody outside.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self::of_kind(Kind::Code(code), detail)
    }

    /// A problem that its HTTP status says all about (405 and the like): RFC 9457's `about:blank`.
    #[must_use]
    pub fn of_status(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::of_kind(Kind::Status(status), detail)
    }

    /// 429: what may be asked in some time was asked; there is more after this wait.
    #[must_use]
    pub fn too_many_requests(wait: Duration) -> Self {
        let detail = "There were too many requests. Send it again later.";
        Self::of_status(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait)
    }

    fn of_kind(kind: Kind, detail: impl Into<String>) -> Self {
        let (faults, extensions) = (Vec::new(), Map::new());
        Self { kind, detail: detail.into(), retry_after: None, faults, extensions }
    }

    /// When the caller may try again: `Retry-After`, rounded up to whole seconds, at least one.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds an entry to `errors`.
    #[must_use]
    pub fn fault(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.faults.push(Fault { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Adds entries to `errors`.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Adds a member that this code alone has.
    ///
    /// # Panics
    ///
    /// When `name` is one of the members that every problem has.
    #[must_use]
    pub fn extension(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        assert!(!STANDARD_MEMBERS.contains(&name), "{name} is taken");
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// The code; `None` for one made [of a status](Self::of_status).
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self.kind {
            Kind::Code(code) => Some(code),
            Kind::Status(_) => None,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind {
            Kind::Code(code) => code.status(),
            Kind::Status(status) => status,
        }
    }

    fn title(&self) -> &'static str {
        match self.kind {
            Kind::Code(code) => code.title(),
            Kind::Status(status) => status.canonical_reason().unwrap_or("Error"),
        }
    }

    fn type_uri(&self) -> String {
        self.code().map_or_else(
            || "about:blank".to_owned(),
            |code| format!("urn:proofline:problem:{code}"),
        )
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = self.extensions.clone();
        members.insert("type".into(), self.type_uri().into());
        members.insert("title".into(), self.title().into());
        members.insert("status".into(), self.status().as_u16().into());
        members.insert("detail".into(), self.detail.as_str().into());
        if !self.faults.is_empty() {
            let faults = self.faults.iter().map(
                |fault| serde_json::json!({ "pointer": fault.pointer, "detail": fault.detail }),
            );
            members.insert("errors".into(), faults.collect());
        }
        Value::Object(members)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.to_json().to_string();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, seconds.max(1).into());
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title(), self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header(response: &Response, name: axum::http::HeaderName) -> Option<&str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn a_problem_is_answered_with_its_document() {
        let problem = Problem::new(Code::InvalidRequest, "two members are wrong")
            .fault("/tags/0", "is longer than 64 characters")
            .fault("/flow", "is not known")
            .extension("trace_id", "t-1");

        let response = problem.into_response();

        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(header(&response, CONTENT_TYPE), Some("application/problem+json"));
        assert_eq!(header(&response, RETRY_AFTER), None);
        assert_eq!(header(&response, WWW_AUTHENTICATE), None);
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            json!({
                "type": "urn:proofline:problem:invalid-request",
                "title": "The request is not valid",
                "status": 422,
                "detail": "two members are wrong",
                "errors": [
                    {"pointer": "/tags/0", "detail": "is longer than 64 characters"},
                    {"pointer": "/flow", "detail": "is not known"},
                ],
                "trace_id": "t-1",
            })
        );
    }

    #[test]
    fn retry_after_is_in_whole_seconds_and_at_least_one() {
        for (wait, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (90_000, "90")] {
            let problem = Problem::new(Code::AssureUnavailable, "limited");
            let response = problem.retry_after(Duration::from_millis(wait)).into_response();
            assert_eq!(header(&response, RETRY_AFTER), Some(seconds), "{wait} ms");
        }
    }

    #[test]
    fn unauthorized_names_the_scheme() {
        let response = Problem::new(Code::Unauthorized, "no key").into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(header(&response, WWW_AUTHENTICATE), Some("Bearer"));
    }

    #[test]
    fn a_problem_of_a_status_has_no_type_of_its_own() {
        let problem = Problem::of_status(StatusCode::METHOD_NOT_ALLOWED, "only POST");
        assert_eq!(
            problem.to_json(),
            json!({
                "type": "about:blank", "title": "Method Not Allowed", "status": 405, "detail": "only POST"
            })
        );
    }

    #[test]
    #[should_panic(expected = "status is taken")]
    fn an_extension_never_replaces_a_standard_member() {
        let _ = Problem::new(Code::Malformed, "x").extension("status", 200);
    }
}
