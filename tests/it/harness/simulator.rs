//! The simulator's admin API: see what reached Assure, and make Assure do things.

use std::collections::BTreeMap;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{Answer, Ask, Verification, eventually};

/// A running simulator.
#[derive(Debug, Clone)]
pub(crate) struct Simulator {
    pub(crate) http: Client,
    pub(crate) url: String,
    pub(crate) client_secret: &'static str,
}

impl Simulator {
    async fn admin(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/simulator{path}", self.url);
        let answer = self.http.request(method, url).json(&body).ask().await;
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// All dossiers that Assure has.
    pub(crate) async fn dossiers(&self) -> Vec<Value> {
        let state = self.admin(Method::GET, "/state", json!({})).await;
        state["dossiers"].as_array().unwrap().clone()
    }

    /// The process of a verification; null when Assure has none.
    pub(crate) async fn process_of(&self, verification: &Verification) -> Value {
        let dossiers = self.dossiers().await;
        let processes = dossiers.iter().flat_map(|d| d["processes"].as_array().unwrap());
        let mut found = processes.filter(|p| p["processId"] == verification.process_id);
        found.next().cloned().unwrap_or_default()
    }

    /// Waits until Assure has no such process any more.
    pub(crate) async fn forgets(&self, verification: &Verification) {
        eventually("Assure has no such process", async || {
            let process = self.process_of(verification).await;
            if process.is_null() { Ok(()) } else { Err(process.to_string()) }
        })
        .await;
    }

    /// How often Assure was asked to do this for that verification's process.
    pub(crate) async fn calls_of(&self, operation: &str, verification: &Verification) -> usize {
        let calls = self.admin(Method::GET, "/calls", json!({})).await;
        let path = format!("/processes/{}", verification.process_id);
        let is_it = |call: &&Value| {
            call["operation"] == operation
                && call["path"].as_str().unwrap().contains(&path)
                && !call["answeredAtMs"].is_null()
        };
        calls["calls"].as_array().unwrap().iter().filter(is_it).count()
    }

    /// The operations that Assure was asked for in the dossier of a verification, answered or not.
    pub(crate) async fn calls_about(&self, verification: &Verification) -> Vec<String> {
        let calls = self.admin(Method::GET, "/calls", json!({})).await;
        let path = format!("/dossiers/{}", verification.dossier_id);
        let calls = calls["calls"].as_array().unwrap().iter();
        let about = calls.filter(|call| call["path"].as_str().unwrap().contains(&path));
        about.map(|call| call["operation"].as_str().unwrap().to_owned()).collect()
    }

    /// How often Assure was asked for what.
    pub(crate) async fn counts(&self) -> BTreeMap<String, u64> {
        let calls = self.admin(Method::GET, "/calls", json!({})).await;
        let counts = calls["counts"].as_object().unwrap().iter();
        counts.map(|(operation, count)| (operation.clone(), count.as_u64().unwrap())).collect()
    }

    /// How often Assure was asked for this, whatever for.
    pub(crate) async fn count_of(&self, operation: &str) -> u64 {
        self.counts().await.remove(operation).unwrap_or_default()
    }

    /// Waits until so many calls for this have come in, answered or not.
    pub(crate) async fn count_reaches(&self, operation: &str, count: u64) {
        eventually(&format!("Assure is being asked to {operation}"), async || {
            let seen = self.count_of(operation).await;
            if seen >= count { Ok(()) } else { Err(format!("{seen} times")) }
        })
        .await;
    }

    /// The operations whose callers were not who they said, or had no right to them.
    pub(crate) async fn refusals(&self) -> Vec<String> {
        let calls = self.admin(Method::GET, "/calls", json!({})).await;
        let calls = calls["calls"].as_array().unwrap().iter();
        let refused = calls.filter(|call| [401, 403].map(Value::from).contains(&call["status"]));
        refused.map(|call| call["operation"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until such a call has been made so often.
    pub(crate) async fn was_asked(&self, operation: &str, v: &Verification, times: usize) {
        eventually(&format!("Assure was asked to {operation} {times} times"), async || match self
            .calls_of(operation, v)
            .await
        {
            count if count >= times => Ok(()),
            count => Err(format!("{count} times")),
        })
        .await;
    }

    /// Waits until such a call has come in, answered or not.
    pub(crate) async fn is_being_asked(&self, operation: &str) {
        eventually(&format!("Assure is being asked to {operation}"), async || {
            let calls = self.admin(Method::GET, "/calls", json!({})).await;
            let counts = &calls["counts"];
            if counts[operation].is_u64() { Ok(()) } else { Err(counts.to_string()) }
        })
        .await;
    }

    /// From now on, calls of this operation go wrong.
    pub(crate) async fn goes_wrong(&self, operation: &str, kind: Value, more: Value) {
        let mut fault = json!({ "operation": operation, "kind": kind });
        for (name, value) in more.as_object().unwrap() {
            fault[name] = value.clone();
        }
        self.admin(Method::POST, "/faults", fault).await;
    }

    /// All goes well again.
    pub(crate) async fn recovers(&self) {
        self.admin(Method::DELETE, "/faults", json!({})).await;
    }

    /// Ends the process of a verification now.
    pub(crate) async fn finishes(&self, verification: &Verification, status: &str) {
        let path = format!("/processes/{}/finish", verification.process_id);
        self.admin(Method::POST, &path, json!({ "status": status })).await;
    }

    /// Loses the process of a verification.
    pub(crate) async fn loses(&self, verification: &Verification) {
        let path = format!("/processes/{}", verification.process_id);
        self.admin(Method::DELETE, &path, json!({})).await;
    }

    /// Sends a callback with these members in place of the truth; what was answered.
    pub(crate) async fn calls_back(&self, verification: &Verification, lies: Value) -> Value {
        let path = format!("/processes/{}/callback", verification.process_id);
        self.admin(Method::POST, &path, lies).await
    }

    /// What Get process answers to a client of its own.
    pub(crate) async fn get_process(&self, verification: &Verification) -> Value {
        let (dossier, process) = (&verification.dossier_id, &verification.process_id);
        let path = format!("/dossiers/{dossier}/processes/{process}");
        self.asked_directly(Method::GET, &path, Value::Null).await.is(200)
    }

    /// What a client of its own is answered.
    pub(crate) async fn asked_directly(&self, method: Method, path: &str, body: Value) -> Answer {
        let form = [("grant_type", "client_credentials"), ("scope", "signicat-api")];
        let request = self.http.post(format!("{}/auth/open/connect/token", self.url));
        let request = request.basic_auth("simulator", Some(self.client_secret));
        let token = request.form(&form).ask().await.is(200);
        let request = self.http.request(method, format!("{}/assure{path}", self.url));
        let request = request.bearer_auth(token["access_token"].as_str().unwrap());
        if body.is_null() { request.ask().await } else { request.json(&body).ask().await }
    }
}
