//! What happens in a test.

use std::ops::Deref;

use serde_json::{Value, json};

use super::{Answer, Ask, Caught, Stage, Verification, order};

/// What callers, Assure and operators do.
#[derive(Clone, Copy)]
pub(crate) struct When<'a>(pub(super) &'a Stage);

impl When<'_> {
    /// The caller creates a verification with these members.
    pub(crate) async fn creates(&self, members: Value) -> Answer {
        self.caller.post("/v1/verifications").json(&order(&members)).ask().await
    }

    /// The same under an idempotency key.
    pub(crate) async fn creates_once(&self, key: &str, members: Value) -> Answer {
        let request = self.caller.post("/v1/verifications").json(&order(&members));
        request.header("idempotency-key", key).ask().await
    }

    /// The caller uploads an image.
    pub(crate) async fn uploads(
        &self,
        v: &Verification,
        depiction: &str,
        image: Vec<u8>,
    ) -> Answer {
        self.caller.put_image(&v.id, depiction).body(image).ask().await
    }

    pub(crate) async fn submits(&self, verification: &Verification) -> Answer {
        self.caller.post(&format!("/v1/verifications/{}/submit", verification.id)).ask().await
    }

    /// The same, with the provider's own parameters.
    pub(crate) async fn submits_with(&self, v: &Verification, parameters: Value) -> Answer {
        let request = self.caller.post(&format!("/v1/verifications/{}/submit", v.id));
        request.json(&json!({ "parameters": parameters })).ask().await
    }

    /// The end-user opens a page, and is not sent on from there.
    pub(crate) async fn opens(&self, page: &str) -> Answer {
        self.caller.http.get(page).ask().await
    }

    /// The end-user presses a button of a page.
    pub(crate) async fn chooses(&self, page: &str, word: &str) -> Answer {
        self.caller.http.post(page).form(&[("choice", word)]).ask().await
    }

    pub(crate) async fn cancels(&self, verification: &Verification) -> Answer {
        self.caller.post(&format!("/v1/verifications/{}/cancel", verification.id)).ask().await
    }

    /// Assure sends the next callback, which is caught.
    pub(crate) async fn a_callback_is_caught(&self) -> Caught {
        self.mailbox.as_ref().expect("this stage catches none").next().await
    }

    /// Somebody sends this to the callback-receiver.
    pub(crate) async fn calls_back(&self, callback: &Caught) -> Answer {
        self.calls_back_with(callback, callback.body.to_string()).await
    }

    /// The same with another body.
    pub(crate) async fn calls_back_with(
        &self,
        callback: &Caught,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let receiver = &self.process("proofline-callback-receiver").url;
        let url = format!("{receiver}/callbacks/{}", callback.token);
        let mut request = self.caller.http.post(url).header("content-type", "application/json");
        if let Some(authorization) = &callback.authorization {
            request = request.header("authorization", authorization);
        }
        request.body(body).ask().await
    }

    /// The broker is stopped, as for its maintenance.
    pub(crate) async fn nats_stops(&self) {
        self.broker.lock().await.stop().await;
    }

    /// It is there again, with all it had.
    pub(crate) async fn nats_returns(&self) {
        self.broker.lock().await.restart().await;
    }
}

impl Deref for When<'_> {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        self.0
    }
}
