//! An installation of Proofline as a caller sees it: HTTP and an API key.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

/// Where it is, and who we are there.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub(crate) api_url: String,
    pub(crate) upload_url: String,
    pub(crate) api_key: String,
}

/// A caller of an installation.
pub(crate) struct Caller {
    installation: Installation,
    http: Client,
}

impl Caller {
    pub(crate) fn new(installation: &Installation) -> anyhow::Result<Self> {
        let http = Client::builder().timeout(Duration::from_secs(90)).build()?;
        Ok(Self { installation: installation.clone(), http })
    }

    /// `POST /v1/verifications`.
    pub(crate) async fn create(&self, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/v1/verifications", self.installation.api_url);
        json(self.http.post(url).json(body), &self.installation.api_key).await
    }

    /// `PUT …/images/{depiction}`.
    pub(crate) async fn upload(
        &self,
        id: &str,
        depiction: &str,
        image: Vec<u8>,
    ) -> anyhow::Result<()> {
        let base = &self.installation.upload_url;
        let url = format!("{base}/v1/verifications/{id}/images/{depiction}");
        send(self.http.put(url).body(image), &self.installation.api_key).await.map(drop)
    }

    /// `GET /v1/verifications/{id}`, held until it is finished or a minute has passed.
    pub(crate) async fn wait(&self, id: &str) -> anyhow::Result<Value> {
        let url = format!("{}/v1/verifications/{id}", self.installation.api_url);
        json(self.http.get(url).header("prefer", "wait=60"), &self.installation.api_key).await
    }

    /// `GET …/events`.
    pub(crate) async fn timeline(&self, id: &str) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}/v1/verifications/{id}/events", self.installation.api_url);
        let answer = json(self.http.get(url), &self.installation.api_key).await?;
        answer["events"].as_array().cloned().context("the timeline has no events")
    }

    /// `GET …/result`.
    pub(crate) async fn result(&self, id: &str) -> anyhow::Result<Value> {
        let url = format!("{}/v1/verifications/{id}/result", self.installation.api_url);
        json(self.http.get(url), &self.installation.api_key).await
    }
}

async fn send(request: RequestBuilder, api_key: &str) -> anyhow::Result<Response> {
    let response = request.bearer_auth(api_key).send().await?;
    let status = response.status();
    if !status.is_success() {
        let problem: Value = response.json().await.unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no detail");
        bail!("{status}: {detail}");
    }
    Ok(response)
}

async fn json(request: RequestBuilder, api_key: &str) -> anyhow::Result<Value> {
    Ok(send(request, api_key).await?.json().await?)
}
