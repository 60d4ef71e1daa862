//! One verification, as a caller who behaves well gets it done.

use std::{sync::Arc, time::Duration};

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{ACME_KEY, Common, Said};
use crate::harness::{Answer, Ask, Caller, jpeg, order};

/// How long a caller waits who was not told how long.
const PAUSE: Duration = Duration::from_millis(500);
/// A tag: the caller leaves it to its deadline, once it is created.
pub(crate) const LEAVES: &str = "caller:leaves";
/// A tag: the caller discards it, once it is created.
pub(crate) const DISCARDS: &str = "caller:discards";
/// Images that an order of the document flow needs here.
const DEPICTIONS: [&str; 2] = ["front", "selfie"];

/// A caller with one verification.
pub(super) struct Errand {
    common: Arc<Common>,
    /// Its idempotency key, and its reference.
    key: String,
    order: Value,
    /// Whose turn it is of several replicas.
    turn: usize,
    /// Whether an attempt at an upload was never answered: it may arrive after the next has succeeded.
    may_come_late: bool,
}

impl Errand {
    pub(super) fn new(common: Arc<Common>, number: usize) -> Self {
        let key = format!("{}-{number}", common.config.name);
        let mut order = order(&(common.config.members)(number));
        order["reference"] = json!(key);
        Self { common, key, order, turn: number, may_come_late: false }
    }

    /// All that a caller and an end-user have to do. An answer that ends it early is in the ledger.
    pub(super) async fn run(mut self) {
        self.common.ledger().begun(&self.key);
        let Some(created) = self.is_created().await else { return };
        let is_done = match self.order["flow"].as_str() {
            _ if self.has_tag(LEAVES) => true,
            _ if self.has_tag(DISCARDS) => self.is_discarded(&created).await,
            Some("document") => self.is_submitted(&created).await,
            _ => self.is_visited(&created).await,
        };
        if is_done {
            self.common.ledger().done(&self.key);
        }
    }

    fn has_tag(&self, tag: &str) -> bool {
        self.order["tags"].as_array().unwrap().contains(&json!(tag))
    }

    async fn is_created(&mut self) -> Option<Value> {
        let (key, order) = (self.key.clone(), self.order.clone());
        let creation = |caller: &Caller| {
            caller.post("/v1/verifications").header("idempotency-key", &key).json(&order)
        };
        let created = self.persist("create", creation, &[200, 201]).await?.body;
        self.common.ledger().answered(&self.key, created["id"].as_str().unwrap());
        Some(created)
    }

    async fn is_submitted(&mut self, created: &Value) -> bool {
        let id = created["id"].as_str().unwrap();
        let path = format!("/v1/verifications/{id}/submit");
        let mut missing = json!(DEPICTIONS);
        loop {
            for depiction in missing.as_array().unwrap() {
                let depiction = depiction.as_str().unwrap();
                let image = jpeg(&format!("{depiction} of {id}"));
                let upload = |caller: &Caller| caller.put_image(id, depiction).body(image.clone());
                if self.persist("upload", upload, &[204]).await.is_none() {
                    return false;
                }
            }
            // A frozen service may read an attempt at an upload only now, and it may come to nothing.
            let wanted: &[u16] = if self.may_come_late { &[202, 409] } else { &[202] };
            let submit = |caller: &Caller| caller.post(&path);
            let Some(answer) = self.persist("submit", submit, wanted).await else { return false };
            if answer.status == 202 {
                return true;
            }
            self.may_come_late = false;
            missing = answer.body["images"].clone();
            if !missing.is_array() {
                let why = format!("submit: {} {}", answer.status, answer.body);
                self.common.ledger().gave_up(&self.key, why);
                return false;
            }
        }
    }

    async fn is_discarded(&mut self, created: &Value) -> bool {
        let path = format!("/v1/verifications/{}/cancel", created["id"].as_str().unwrap());
        // Where its deadline came first it is too late.
        self.persist("cancel", |caller| caller.post(&path), &[202, 409]).await.is_some()
    }

    /// The end-user goes to the page, decides, and comes back.
    async fn is_visited(&mut self, created: &Value) -> bool {
        let page = created["next_action"]["url"].as_str().unwrap_or_default().to_owned();
        let opened = self.persist("page", |caller| caller.http.get(&page), &[200, 410]).await;
        // Who has chosen, and did not hear so, finds that the page is gone.
        match opened {
            Some(opened) if opened.status == 200 => {}
            opened => return opened.is_some(),
        }
        let form = [("choice", "as-scripted")];
        let choose = |caller: &Caller| caller.http.post(&page).form(&form);
        let Some(chosen) = self.persist("page", choose, &[303, 410]).await else { return false };
        let Some(back) = chosen.header("location").map(str::to_owned) else { return true };
        self.persist("return", |caller| caller.http.get(&back), &[303]).await.is_some()
    }

    /// Comes again until there is an answer that is not for later; `None`, and the errand is over,
    /// when it is none of these.
    async fn persist(
        &mut self,
        step: &'static str,
        request: impl Fn(&Caller) -> RequestBuilder,
        wanted: &[u16],
    ) -> Option<Answer> {
        loop {
            let answer = self.once(step, request(&self.caller())).await;
            match answer {
                Ok(answer) => match retry_after(&answer) {
                    Some(after) => pause(after).await,
                    None if wanted.contains(&answer.status) => return Some(answer),
                    None if answer.status == 503 => pause(PAUSE).await,
                    // Left to a deadline that came before all of it was created.
                    None if self.has_tag(LEAVES) && is_over(&answer) => {
                        self.common.ledger().done(&self.key);
                        return None;
                    }
                    None => {
                        let why = format!("{step}: {} {}", answer.status, answer.body);
                        self.common.ledger().gave_up(&self.key, why);
                        return None;
                    }
                },
                Err(_) => {
                    self.may_come_late |= step == "upload";
                    pause(PAUSE).await;
                }
            }
            self.turn += 1;
        }
    }

    async fn once(
        &self,
        step: &'static str,
        request: RequestBuilder,
    ) -> Result<Answer, reqwest::Error> {
        let answer = request.try_ask().await;
        self.common.ledger().answers.add(step, Said::of(&answer));
        answer
    }

    fn caller(&self) -> Caller {
        let config = &self.common.config;
        let turn_of = |urls: &[String]| urls[self.turn % urls.len()].clone();
        Caller {
            http: self.common.http.clone(),
            api: turn_of(&config.intakes),
            uploads: turn_of(&config.uploads),
            key: ACME_KEY,
        }
    }
}

fn is_over(answer: &Answer) -> bool {
    answer.status == 409 && answer.body["type"] == "urn:proofline:problem:already-finished"
}

/// When to come again, in whole seconds as our services say it.
fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.header("retry-after")?.parse().ok().map(Duration::from_secs)
}

#[expect(clippy::disallowed_methods, reason = "a caller does as told, or is not rude")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
