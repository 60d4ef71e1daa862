//! An installation of Proofline as a caller sees it: HTTP and an API key.

use std::time::Duration;

use anyhow::{Context, bail};
use proofline_settings::{ExposeSecret, SecretString};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

/// How long one request may take; a held one takes up to a minute.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// How long what is not available now is tried again.
const PATIENCE: Duration = Duration::from_secs(120);
/// When to try again what does not say when.
const DEFAULT_RETRY_AFTER: u64 = 2;

/// A caller of an installation.
pub(crate) struct Caller {
    api_url: String,
    api_key: SecretString,
    http: Client,
}

impl Caller {
    /// A caller of the intake at this address.
    pub(crate) fn new(api_url: &str, api_key: SecretString) -> anyhow::Result<Self> {
        let http = Client::builder().timeout(REQUEST_TIMEOUT).build()?;
        Ok(Self { api_url: api_url.trim_end_matches('/').to_owned(), api_key, http })
    }

    /// `POST /v1/verifications`. With the idempotency key, trying again completes what broke off.
    pub(crate) async fn create(
        &self,
        body: &Value,
        idempotency_key: &str,
    ) -> anyhow::Result<Value> {
        let url = format!("{}/v1/verifications", self.api_url);
        let request = || {
            let request = self.http.post(&url).header("idempotency-key", idempotency_key);
            self.authorised(request.json(body))
        };
        Ok(patiently(request).await?.json().await?)
    }

    /// `PUT` to the upload URL of this depiction, which a verification carries as its next action.
    pub(crate) async fn upload(
        &self,
        verification: &Value,
        depiction: &str,
        image: &[u8],
    ) -> anyhow::Result<()> {
        let url = verification["next_action"]["upload_urls"][depiction].as_str();
        let url = url.with_context(|| format!("this verification takes no image {depiction}"))?;
        patiently(|| self.http.put(url).body(image.to_vec())).await.map(drop)
    }

    /// `POST …/submit`.
    pub(crate) async fn submit(&self, id: &str) -> anyhow::Result<()> {
        let url = format!("{}/v1/verifications/{id}/submit", self.api_url);
        patiently(|| self.authorised(self.http.post(&url))).await.map(drop)
    }

    /// `GET /v1/verifications/{id}`, held until it is finished or this many seconds have passed.
    pub(crate) async fn wait(&self, id: &str, seconds: u64) -> anyhow::Result<Value> {
        let url = format!("{}/v1/verifications/{id}", self.api_url);
        let prefer = format!("wait={seconds}");
        let request = || self.authorised(self.http.get(&url).header("prefer", &prefer));
        Ok(patiently(request).await?.json().await?)
    }

    /// `GET …/events`.
    pub(crate) async fn timeline(&self, id: &str) -> anyhow::Result<Vec<Value>> {
        let answer = self.get(&format!("{id}/events")).await?;
        answer["events"].as_array().cloned().context("the timeline has no events")
    }

    /// `GET …/result`.
    pub(crate) async fn result(&self, id: &str) -> anyhow::Result<Value> {
        self.get(&format!("{id}/result")).await
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}/v1/verifications/{path}", self.api_url);
        Ok(patiently(|| self.authorised(self.http.get(&url))).await?.json().await?)
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.api_key.expose_secret())
    }
}

/// Sends a request, again while the answer is that it can't be done now.
async fn patiently(request: impl Fn() -> RequestBuilder) -> anyhow::Result<Response> {
    let until = Instant::now() + PATIENCE;
    loop {
        let response = request().send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let again_at = Instant::now() + Duration::from_secs(after.unwrap_or(DEFAULT_RETRY_AFTER));
        let is_passing = status == StatusCode::SERVICE_UNAVAILABLE
            || (status == StatusCode::CONFLICT && after.is_some());
        if !is_passing || again_at > until {
            bail!(explain(status, response).await);
        }
        sleep_until(again_at).await;
    }
}

/// A problem document as one text, every fault on a line of its own.
async fn explain(status: StatusCode, response: Response) -> String {
    let problem: Value = response.json().await.unwrap_or_default();
    let mut text = format!("{status}: {}", problem["detail"].as_str().unwrap_or("no detail"));
    for fault in problem["errors"].as_array().into_iter().flatten() {
        let member = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        text.push_str(&format!("\n  {} {}", member("pointer"), member("detail")));
    }
    text
}
