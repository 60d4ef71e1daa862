//! One verification from its creation to its end.

use serde_json::{Value, json};

use super::{Fleet, persist, soon};
use crate::harness::{Caller, Verification, digest, jpeg, order};

/// A caller with one verification to get through, who comes again after everything that can be
/// mended by coming again.
pub(crate) struct Journey {
    pub(crate) caller: Caller,
    /// Its idempotency key.
    pub(crate) key: String,
    pub(crate) members: Value,
}

impl Journey {
    /// A verification of the usual kind, with these members instead of its own.
    pub(crate) fn new(caller: Caller, key: impl Into<String>, members: Value) -> Self {
        Self { caller, key: key.into(), members }
    }

    /// Creates it.
    pub(crate) async fn begins(&self) -> Verification {
        let order = order(&self.members);
        let answer = persist("a creation", || {
            let request = self.caller.post("/v1/verifications");
            request.header("idempotency-key", &self.key).json(&order)
        })
        .await;
        assert!([200, 201].contains(&answer.status), "{} {}", answer.status, answer.body);
        let text = |name: &str| answer.body[name].as_str().unwrap_or_default().to_owned();
        let (id, dossier_id, process_id) = (text("id"), text("dossier_id"), text("process_id"));
        Verification { id, dossier_id, process_id, created: answer.body }
    }

    /// Uploads its images and submits it.
    pub(crate) async fn is_submitted(&self, v: &Verification) {
        for depiction in ["front", "selfie"] {
            let request = || self.caller.put_image(&v.id, depiction).body(image(v, depiction));
            persist("an upload", request).await.says_nothing(204);
        }
        let path = format!("/v1/verifications/{}/submit", v.id);
        persist("a submission", || self.caller.post(&path)).await.is(202);
    }

    /// Waits for its end.
    pub(crate) async fn ends(&self, v: &Verification) -> Value {
        soon("the verification is finished", async || {
            let answer =
                persist("a look", || self.caller.look_at(&v.id).header("prefer", "wait=5"))
                    .await
                    .is(200);
            if answer["status"] == "finished" { Ok(answer) } else { Err(answer.to_string()) }
        })
        .await
    }

    /// All of it.
    pub(crate) async fn goes(&self) -> (Verification, Value) {
        let v = self.begins().await;
        self.is_submitted(&v).await;
        let end = self.ends(&v).await;
        (v, end)
    }
}

/// What belongs to each verification, so that one can't be taken for another.
fn image(v: &Verification, depiction: &str) -> Vec<u8> {
    jpeg(&format!("{depiction} of {}", v.id))
}

/// The digests of a verification's images, as the simulator shows them.
fn wanted_images(v: &Verification) -> Value {
    json!({ "front": digest(&image(v, "front")), "selfie": digest(&image(v, "selfie")) })
}

impl Fleet {
    /// What must be so of every verification that went through, whatever happened on its way.
    pub(crate) async fn assert_went_through(&self, v: &Verification, end: &Value, outcome: &str) {
        assert_eq!(end["outcome"], outcome, "{end}");
        let ends = self.ends_of(&v.id).await;
        assert_eq!(ends.len(), 1, "{ends:?}");
        let name = ends[0].event.outcome().as_str_name().to_lowercase();
        assert_eq!(name, format!("outcome_{outcome}"));
        let dossiers = self.dossiers_of(&v.id).await;
        assert_eq!(dossiers.len(), 1, "{dossiers:?}");
        let processes = dossiers[0]["processes"].as_array().unwrap();
        assert_eq!(processes.len(), 1, "{processes:?}");
        assert_eq!(dossiers[0]["dossierId"], end["dossier_id"]);
        assert_eq!(processes[0]["processId"], end["process_id"]);
        assert_eq!(processes[0]["verified"], wanted_images(v));
    }
}
