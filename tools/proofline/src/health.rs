//! `proofline health`: what a container without a shell asks itself.

use std::time::Duration;

use anyhow::bail;
use reqwest::{Client, Url, redirect::Policy};
use serde_json::Value;

/// How long the answer may take; shorter than what probes usually allow.
const PATIENCE: Duration = Duration::from_secs(2);

/// Succeeds if this URL answers with 2xx.
pub(crate) async fn run(url: Url) -> anyhow::Result<()> {
    let http = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build()?;
    let response = http.get(url).send().await?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    // What `/readyz` says against it.
    let answer: Value = response.json().await.unwrap_or_default();
    let reasons: Vec<_> =
        answer["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if reasons.is_empty() {
        bail!("{status}");
    }
    bail!("{status}: {}", reasons.join("; "));
}
