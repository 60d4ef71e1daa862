//! The callback to `notificationUrl`: three members, `Authorization` verbatim, resent until 200.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::header;
use proofline_assure::wire;
use serde::Serialize;

use crate::clock::pause;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::Process;

/// How much of a receiver's answer is kept.
const KEPT: usize = 4096;

/// A callback ready to be sent.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) url: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: wire::Callback,
}

impl Message {
    /// The callback of a process, if it asked for one.
    pub(crate) fn of(process: &Process, told: Status) -> Option<Self> {
        Some(Self {
            url: process.request.notification_url.clone()?,
            authorization: process.request.authorization_header.clone(),
            body: wire::Callback {
                dossier_id: process.dossier_id.clone(),
                process_id: process.id.clone(),
                status: told.into(),
            },
        })
    }
}

/// One attempt, as the admin API shows it; without the address, which may be a capability.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// When it was sent, in ms since 1970.
    at_ms: u64,
    /// What was told.
    status: String,
    /// From 1.
    attempt: u32,
    #[serde(flatten)]
    answer: Answer,
}

/// What the receiver said.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    /// Its status, if there was an answer.
    pub(crate) answer: Option<u16>,
    /// Its headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// The beginning of its body.
    #[serde(skip_serializing_if = "String::is_empty")]
    body: String,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Sends until the receiver answers 200 or the attempts are used up.
pub(crate) async fn deliver(simulator: Arc<Simulator>, message: Message) {
    for attempt in 1..=simulator.settings.callback_attempts {
        if attempt > 1 {
            pause(simulator.settings.callback_retry).await;
        }
        let at_ms = simulator.clock.now_ms();
        let answer = send(&simulator.http, &message).await;
        let delivered = answer.answer == Some(200);
        tracing::debug!(
            process = message.body.process_id,
            attempt,
            answer = answer.answer,
            error = answer.error,
            "a callback was sent"
        );
        // A process that was deleted meanwhile has no list to enter it in.
        if let Ok(process) = simulator.store().find_process(&message.body.process_id) {
            process.callbacks.push(Delivery {
                at_ms,
                status: message.body.status.clone(),
                attempt,
                answer,
            });
        }
        if delivered {
            return;
        }
    }
}

/// Sends once.
pub(crate) async fn send(http: &reqwest::Client, message: &Message) -> Answer {
    let mut request = http.post(&message.url).json(&message.body);
    if let Some(authorization) = &message.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    exchange(request).await
}

/// Sends a request of ours and keeps what the receiver says.
pub(crate) async fn exchange(request: reqwest::RequestBuilder) -> Answer {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return failure(&error),
    };
    let answer = Some(response.status().as_u16());
    let headers = response.headers().iter();
    let headers = headers
        .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect();
    match response.bytes().await {
        Ok(bytes) => Answer {
            answer,
            headers,
            body: String::from_utf8_lossy(&bytes[..bytes.len().min(KEPT)]).into_owned(),
            error: None,
        },
        Err(error) => failure(&error),
    }
}

/// In our words: reqwest's would quote the address.
fn failure(error: &reqwest::Error) -> Answer {
    let error = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        "no valid request"
    } else {
        "the connection broke off"
    };
    Answer { error: Some(error), ..Answer::default() }
}
