//! What a test begins with.

use std::ops::Deref;

use proofline_seal::{Capability, Keyring, Purpose};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{Answer, Ask, Stage, TOKEN_KEYS, jpeg};

/// What is so before anything happens.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a>(pub(super) &'a Stage);

/// A verification, as its creation answered it.
#[derive(Debug, Clone)]
pub(crate) struct Verification {
    pub(crate) id: String,
    pub(crate) dossier_id: String,
    /// Empty for a capture until its end.
    pub(crate) process_id: String,
    /// The whole answer.
    pub(crate) created: Value,
}

/// The usual creation, with these members instead of its own.
pub(crate) fn order(members: &Value) -> Value {
    let mut order = json!({
        "flow": "document", "provider": "onfido", "process_type": "documentSelfie",
        "document": { "type": "passport", "country": "NOR" },
        "reference": "order-778", "tags": ["web"],
    });
    for (name, value) in members.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

impl Given<'_> {
    /// A verification that waits for its images, created with these members.
    pub(crate) async fn a_verification(&self, members: Value) -> Verification {
        let request = self.caller.post("/v1/verifications").json(&order(&members));
        Verification::of(request.ask().await)
    }

    /// One whose images are there.
    pub(crate) async fn a_complete_verification(&self, members: Value) -> Verification {
        let verification = self.a_verification(members).await;
        for depiction in ["front", "selfie"] {
            let request = self.caller.put_image(&verification.id, depiction);
            request.body(jpeg(depiction)).ask().await.says_nothing(204);
        }
        verification
    }

    /// One that is submitted.
    pub(crate) async fn a_submitted_verification(&self, members: Value) -> Verification {
        let verification = self.a_complete_verification(members).await;
        let path = format!("/v1/verifications/{}/submit", verification.id);
        self.caller.post(&path).ask().await.is(202);
        verification
    }

    /// One that Assure is working on, and goes on to until it is told to finish.
    pub(crate) async fn a_verification_at_work(&self) -> Verification {
        let tags = json!({ "tags": ["web", "simulate:never-finishes"] });
        let verification = self.a_submitted_verification(tags).await;
        self.acts().2.reaches(&verification, "verifying").await;
        verification
    }
}

impl Verification {
    /// What was created.
    #[track_caller]
    pub(crate) fn of(answer: Answer) -> Self {
        let created = answer.is(201);
        let text = |name: &str| created[name].as_str().unwrap().to_owned();
        // A capture has no process yet.
        let process_id = created["process_id"].as_str().unwrap_or_default().to_owned();
        Self { id: text("id"), dossier_id: text("dossier_id"), process_id, created }
    }

    /// The signed upload URL of a depiction.
    pub(crate) fn upload_url(&self, depiction: &str) -> &str {
        self.created["next_action"]["upload_urls"][depiction].as_str().unwrap()
    }

    /// The token in it.
    pub(crate) fn upload_token(&self, depiction: &str) -> &str {
        self.upload_url(depiction).split_once("token=").unwrap().1
    }

    /// A token such as intake gives away, that expires so long from now.
    #[expect(clippy::disallowed_methods, reason = "the services read the clock too")]
    pub(crate) fn minted_token(&self, depiction: &str, lifetime: Duration) -> String {
        let keys = Keyring::parse(TOKEN_KEYS).unwrap();
        keys.mint(&Capability {
            purpose: Purpose::Upload,
            tenant: "acme".to_owned(),
            verification_id: self.id.clone(),
            expires_at: OffsetDateTime::now_utc() + lifetime,
            detail: Some(depiction.to_owned()),
        })
    }

    /// The upload URL of a depiction with another token.
    pub(crate) fn upload_url_with(&self, depiction: &str, token: &str) -> String {
        format!("{}?token={token}", self.upload_url(depiction).split_once('?').unwrap().0)
    }
}

impl Deref for Given<'_> {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        self.0
    }
}
