//! Subscriptions to events, and events on demand.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::body::Object;
use crate::callbacks::Answer;
use crate::error::Refusal;
use crate::settings::web_address;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::webhooks::{self, Delivery, Encoding, Event, Subscription};

use super::control::{null_or_text, read};

/// A subscription as the admin API shows it, without its secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    id: String,
    url: String,
    has_secret: bool,
    header: String,
    encoding: Encoding,
    prefix: String,
    deliveries: Vec<Delivery>,
}

impl From<&Subscription> for Shown {
    fn from(subscription: &Subscription) -> Self {
        Self {
            id: subscription.id.clone(),
            url: subscription.url.to_string(),
            has_secret: subscription.secret.is_some(),
            header: subscription.header.to_string(),
            encoding: subscription.encoding,
            prefix: subscription.prefix.clone(),
            deliveries: subscription.deliveries.clone(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct List {
    webhooks: Vec<Shown>,
}

/// Members of a subscription; those that are absent stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    url: Option<String>,
    /// Null: nothing is signed.
    #[serde(default, deserialize_with = "null_or_text")]
    secret: Option<Option<String>>,
    header: Option<String>,
    encoding: Option<Encoding>,
    prefix: Option<String>,
}

/// What an event says instead of the truth; absent members stay true.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Overrides {
    event_id: Option<String>,
    dossier_id: Option<String>,
    process_id: Option<String>,
    status: Option<Status>,
    tags: Option<Vec<String>>,
    /// Null sends no signature at all.
    #[serde(default, deserialize_with = "null_or_text")]
    signature: Option<Option<String>>,
}

#[derive(Serialize)]
pub(super) struct Answers {
    answers: Vec<AnswerOf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerOf {
    webhook_id: String,
    #[serde(flatten)]
    answer: Answer,
}

/// `POST /simulator/webhooks`.
pub(super) async fn add(
    State(simulator): State<Arc<Simulator>>,
    body: Object,
) -> Result<(StatusCode, Json<Shown>), Refusal> {
    let wanted: Change = read(body)?;
    let url = wanted.url.as_deref().ok_or_else(|| Refusal::bad_request("url is missing."))?;
    let mut subscription = Subscription::new(address(url)?);
    wanted.apply(&mut subscription)?;
    let shown = Shown::from(&subscription);
    simulator.webhooks.lock().push(subscription);
    Ok((StatusCode::CREATED, Json(shown)))
}

/// `GET /simulator/webhooks`.
pub(super) async fn list(State(simulator): State<Arc<Simulator>>) -> Json<List> {
    Json(List { webhooks: all(&simulator) })
}

/// `PUT /simulator/webhooks/{id}`.
pub(super) async fn change(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    body: Object,
) -> Result<Json<Shown>, Refusal> {
    let wanted: Change = read(body)?;
    let mut subscriptions = simulator.webhooks.lock();
    let subscription = subscriptions.iter_mut().find(|s| s.id == id).ok_or_else(unknown)?;
    wanted.apply(subscription)?;
    Ok(Json(Shown::from(&*subscription)))
}

/// `DELETE /simulator/webhooks/{id}`.
pub(super) async fn remove(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let mut subscriptions = simulator.webhooks.lock();
    let at = subscriptions.iter().position(|s| s.id == id).ok_or_else(unknown)?;
    subscriptions.remove(at);
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /simulator/webhooks`.
pub(super) async fn clear(State(simulator): State<Arc<Simulator>>) -> StatusCode {
    simulator.webhooks.lock().clear();
    StatusCode::NO_CONTENT
}

/// `POST /simulator/webhooks/{id}/mock`: a test event, once, now.
pub(super) async fn send_mock(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    body: Object,
) -> Result<Json<Answer>, Refusal> {
    let overrides: Overrides = read(body)?;
    let subscription = simulator.webhooks.find(&id).ok_or_else(unknown)?;
    let event = Event::mock(simulator.clock.now(), simulator.settings.webhook_lifetime);
    let (event, forged) = overrides.apply(event)?;
    Ok(Json(webhooks::send(&simulator.http, &subscription, &event, forged).await))
}

/// `POST /simulator/processes/{processId}/event`: to every subscription, once, now.
pub(super) async fn send_event(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    body: Object,
) -> Result<Json<Answers>, Refusal> {
    let overrides: Overrides = read(body)?;
    let event = {
        let mut store = simulator.store();
        let dossier_id = store.find_process(&id)?.dossier_id.clone();
        let (dossier, process) = (store.dossier(&dossier_id)?, store.process(&dossier_id, &id)?);
        let lifetime = simulator.settings.webhook_lifetime;
        Event::of(dossier, process, simulator.clock.now(), lifetime)
    };
    let (event, forged) = overrides.apply(event)?;
    let subscriptions = simulator.webhooks.lock().clone();
    let mut answers = Vec::new();
    for subscription in subscriptions {
        let answer = webhooks::send(&simulator.http, &subscription, &event, forged.clone()).await;
        answers.push(AnswerOf { webhook_id: subscription.id, answer });
    }
    Ok(Json(Answers { answers }))
}

/// All subscriptions, oldest first.
pub(super) fn all(simulator: &Simulator) -> Vec<Shown> {
    simulator.webhooks.lock().iter().map(Shown::from).collect()
}

impl Change {
    fn apply(self, subscription: &mut Subscription) -> Result<(), Refusal> {
        let wrong = |what| Refusal::bad_request(format!("{what} can't be part of a header."));
        let url = self.url.as_deref().map(address).transpose()?;
        let header =
            self.header.map(|name| HeaderName::try_from(name).map_err(|_| wrong("header")));
        let header = header.transpose()?;
        if self.prefix.as_ref().is_some_and(|prefix| HeaderValue::from_str(prefix).is_err()) {
            return Err(wrong("prefix"));
        }
        subscription.url = url.unwrap_or_else(|| subscription.url.clone());
        subscription.header = header.unwrap_or_else(|| subscription.header.clone());
        subscription.encoding = self.encoding.unwrap_or(subscription.encoding);
        if let Some(prefix) = self.prefix {
            subscription.prefix = prefix;
        }
        if let Some(secret) = self.secret {
            subscription.secret = secret.map(SecretString::from);
        }
        Ok(())
    }
}

impl Overrides {
    fn apply(self, mut event: Event) -> Result<(Event, Option<Option<HeaderValue>>), Refusal> {
        let forged =
            match self.signature {
                None => None,
                Some(None) => Some(None),
                Some(Some(text)) => Some(Some(HeaderValue::try_from(text).map_err(|_| {
                    Refusal::bad_request("signature can't be the value of a header.")
                })?)),
            };
        if let Some(id) = self.event_id {
            event.id = id;
        }
        if let Some(id) = self.dossier_id {
            event.event_data.dossier_id = id;
        }
        if let Some(id) = self.process_id {
            event.event_data.process_id = id;
        }
        if let Some(status) = self.status {
            event.event_data.status = status;
        }
        if let Some(tags) = self.tags {
            event.tags = tags;
        }
        Ok((event, forged))
    }
}

fn address(text: &str) -> Result<Url, Refusal> {
    web_address(text).map_err(|fault| Refusal::bad_request(format!("url {fault}.")))
}

fn unknown() -> Refusal {
    Refusal::not_found("subscription")
}
