//! An HTTP answer, read to its end.

use bytes::Bytes;
use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Status, headers, and the body as it came and as JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    /// Null where there was no JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// The body, of an answer that must have this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.body
    }

    /// The same, with nothing in the body.
    #[track_caller]
    pub(crate) fn says_nothing(self, status: u16) {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.bytes, "");
    }

    /// The problem document, which must have this status and code and the shape of RFC 9457.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> &Value {
        let body = &self.body;
        assert_eq!(self.status, status, "{body}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(body["type"], format!("urn:proofline:problem:{code}"), "{body}");
        assert_eq!(body["status"], status, "{body}");
        for member in ["title", "detail"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        }
        body
    }

    /// The same, and when to come again in whole seconds.
    #[track_caller]
    pub(crate) fn come_again(&self, status: u16, code: &str) -> u64 {
        self.problem(status, code);
        let seconds = self.header("retry-after").and_then(|value| value.parse().ok());
        seconds.filter(|seconds| *seconds > 0).unwrap_or_else(|| panic!("{:?}", self.headers))
    }

    /// The JSON Pointers of the `errors` of an invalid request, in order of text.
    #[track_caller]
    pub(crate) fn pointers(&self) -> Vec<&str> {
        let errors = self.problem(422, "invalid-request")["errors"].as_array().unwrap();
        let pointer = |error: &'_ Value| {
            assert!(error["detail"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
        };
        errors.iter().for_each(pointer);
        let mut pointers: Vec<_> =
            errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        pointers
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Sends a request and reads the answer.
pub(crate) trait Ask: Sized {
    /// The answer, or why there is none, or only a part of one.
    fn try_ask(self) -> impl Future<Output = Result<Answer, reqwest::Error>> + Send;

    /// The answer, which there must be.
    async fn ask(self) -> Answer {
        self.try_ask().await.expect("an answer")
    }
}

impl Ask for RequestBuilder {
    async fn try_ask(self) -> Result<Answer, reqwest::Error> {
        let response = self.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Answer { status, headers, bytes, body })
    }
}

/// A time as the API writes it: RFC 3339, in UTC.
#[track_caller]
pub(crate) fn time_of(value: &Value) -> OffsetDateTime {
    let text = value.as_str().unwrap();
    assert!(text.ends_with('Z'), "{text} is not in UTC");
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}
