//! An application that calls Proofline.

use reqwest::{Client, Method, RequestBuilder};

/// A caller with its API key.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) http: Client,
    pub(crate) api: String,
    pub(crate) uploads: String,
    pub(crate) key: &'static str,
}

impl Caller {
    /// A request to intake.
    pub(crate) fn api(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.api)).bearer_auth(self.key)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.api(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.api(Method::POST, path)
    }

    /// `GET /v1/verifications/{id}`.
    pub(crate) fn look_at(&self, id: &str) -> RequestBuilder {
        self.get(&format!("/v1/verifications/{id}"))
    }

    /// `PUT …/images/{depiction}`, still without its image.
    pub(crate) fn put_image(&self, id: &str, depiction: &str) -> RequestBuilder {
        let url = format!("{}/v1/verifications/{id}/images/{depiction}", self.uploads);
        self.http.put(url).bearer_auth(self.key)
    }
}
