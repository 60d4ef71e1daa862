//! `POST /events/{tenant}`: Assure's account-level webhook.
//!
//! The signature over the raw body is checked before anything in it is looked at. An event that
//! names no verification of this tenant (another system's, another tenant's, a test) is 200 and
//! ignored: the sender has done nothing wrong.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
};
use proofline_events::{TenantName, VerificationId, VerificationKey, v1::SignalSource};
use proofline_journal::Signal;
use proofline_problem::{Code, Problem};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    app::{App, not_stored},
    body::{self, id_or_nothing},
};

/// The tag of events that are sent from the dashboard to try the webhook.
const MOCK: &str = "mock";
/// Begins the tag that each process of ours is given: `proofline:<tenant>:<verification id>`.
const OWN_TAG: &str = "proofline:";

/// What is needed of the envelope's nine members. Not `Debug`: the rest may hold anything.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope {
    id: String,
    #[serde(default)]
    event_data: Option<Map<String, Value>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// The other members that are texts, where they are there.
const TEXTS: [&str; 6] =
    ["timestamp", "sender", "eventName", "accountId", "organizationId", "expiresAt"];

pub(crate) async fn receive(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = body::read(body).await?;
    let signature = headers.get(&app.webhooks.header).and_then(|value| value.to_str().ok());
    let tenant = path
        .ok()
        .and_then(|Path(tenant)| TenantName::parse(&tenant).ok())
        .filter(|tenant| app.webhooks.is_authentic(tenant, signature, &body))
        .ok_or_else(|| {
            let detail = "The address or the signature is not valid.";
            app.refuse("/events/{tenant}", Problem::new(Code::Unauthorized, detail))
        })?;
    let envelope = Envelope::read(&body).ok_or_else(|| {
        Problem::new(Code::Malformed, "The body must be an event's envelope in JSON, with an id.")
    })?;
    match envelope.verification(&app, tenant).await? {
        Some(key) => app.record(&key, envelope.signal()).await,
        None => Ok(StatusCode::OK),
    }
}

/// The verification that a tag of ours names.
fn own_tag(tag: &str) -> Option<VerificationKey> {
    let (tenant, id) = tag.strip_prefix(OWN_TAG)?.split_once(':')?;
    VerificationKey::parse(tenant, id).ok()
}

impl Envelope {
    /// By way of a map: an array of the same values is not what Assure sends.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let is_text = |name| members.get(name).is_none_or(|v| v.is_string() || v.is_null());
        if !TEXTS.into_iter().all(is_text) {
            return None;
        }
        let envelope: Self = serde_json::from_value(members.into()).ok()?;
        (!envelope.id.is_empty()).then_some(envelope)
    }

    /// Tells this event from others of the verification: its id, or a digest of one that is not
    /// plain.
    fn plain_id(&self) -> String {
        match id_or_nothing(&self.id) {
            plain if !plain.is_empty() => plain,
            _ => {
                let digest: [u8; 32] = Sha256::digest(&self.id).into();
                digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
            }
        }
    }

    /// The verification it is about, if it is one of this tenant's.
    async fn verification(
        &self,
        app: &App,
        tenant: TenantName,
    ) -> Result<Option<VerificationKey>, Problem> {
        let tags = self.tags.as_deref().unwrap_or_default();
        if tags.iter().any(|tag| tag == MOCK) {
            return Ok(None);
        }
        if tags.iter().any(|tag| tag.starts_with(OWN_TAG)) {
            return Ok(self.own_keys().find(|key| key.tenant == tenant));
        }
        let Ok(id) = VerificationId::parse(self.text("externalReference")) else { return Ok(None) };
        let key = VerificationKey { tenant, id };
        // Anybody with this account may call a dossier what they like: it counts where this tenant
        // has such a verification.
        let is_ours = app.signals.is_requested(&key).await.map_err(|error| {
            tracing::error!(%error, "a webhook's verification could not be looked up");
            not_stored()
        })?;
        Ok(is_ours.then_some(key))
    }

    /// The verifications that tags of ours name.
    pub(crate) fn own_keys(&self) -> impl Iterator<Item = VerificationKey> {
        self.tags.iter().flatten().filter_map(|tag| own_tag(tag))
    }

    pub(crate) fn signal(&self) -> Signal {
        Signal {
            id: format!("webhook.{}", self.plain_id()),
            source: SignalSource::Webhook,
            claimed_dossier_id: id_or_nothing(self.text("dossierId")),
            claimed_process_id: id_or_nothing(self.text("processId")),
            claimed_status: id_or_nothing(self.text("status")),
        }
    }

    fn text(&self, member: &str) -> &str {
        let data = self.event_data.as_ref();
        data.and_then(|data| data.get(member)?.as_str()).unwrap_or_default()
    }
}
