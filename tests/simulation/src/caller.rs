//! A caller and its end-user: what they ask for, when they change their mind, how they repeat what
//! got no answer.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
};
use proofline_events::{EventType, VerificationKey};
use serde_json::{Value, json};

use crate::{
    Rule,
    assure::Assure,
    dice::pass,
    fleet::Answer,
    process::Kind,
    way::{TENANT, Way},
    world::World,
};

const API_KEY: &str = "Bearer demo-key";

/// What every image begins with.
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];

/// One verification's caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    world: Arc<World>,
    number: u64,
    way: Way,
    /// Whose dossier is used again.
    before: Option<VerificationKey>,
}

impl Caller {
    pub(crate) fn new(world: &Arc<World>, number: u64) -> Self {
        let way = *world.dice.pick(&Way::ALL);
        Self { world: Arc::clone(world), number, way, before: None }
    }

    /// Lives through a verification, and perhaps through another in the same dossier.
    pub(crate) async fn live_and_again(self) {
        let before = self.clone().live().await;
        if before.is_some() && self.world.dice.chance(0.3) {
            let way = *self.world.dice.pick(&Way::ALL);
            Self { before, way, number: self.number + 1000, ..self }.live().await;
        }
    }

    /// Lives through a verification; answers which.
    async fn live(self) -> Option<VerificationKey> {
        let dice = &self.world.dice;
        pass(dice.milliseconds(0..20_000)).await;
        let (key, created) = self.create().await?;
        let second_thoughts = self.clone().change_mind(key.clone());
        let second_thoughts = tokio::spawn(second_thoughts);
        if self.way.takes_images() {
            self.upload_all(&key).await;
        }
        if let Some(page) = created["next_action"]["url"].as_str()
            && dice.chance(0.8)
        {
            pass(dice.milliseconds(0..20_000)).await;
            Assure::visit(&self.world, page).await;
        }
        if self.way.is_submitted() && dice.chance(0.9) {
            self.insist(&key, Method::POST, "/submit", EventType::SubmissionRequested).await;
        }
        self.wait_for_the_end(&key).await;
        if let Err(panic) = second_thoughts.await {
            self.world.judge.accuse(Rule::NoPanic, format!("a caller broke: {panic}"));
        }
        Some(key)
    }

    /// Repeats the creation until it is answered, if it has a key that makes a repeat safe.
    async fn create(&self) -> Option<(VerificationKey, Value)> {
        let is_resumable = self.world.dice.chance(0.8);
        let expires = *self.world.dice.pick(&[60, 120, 240]);
        let mut body = self.way.body();
        body["expires_in_seconds"] = expires.into();
        if let Some(before) = &self.before {
            body["same_dossier_as"] = before.id.as_str().into();
        }
        for _ in 0..if is_resumable { 15 } else { 1 } {
            if is_resumable && self.world.happens(0.1) {
                let (twin, body) = (self.clone(), body.clone());
                tokio::spawn(async move { twin.create_once(&body, true).await });
            }
            match self.create_once(&body, is_resumable).await {
                Asked::Created(key, created) => return Some((key, created)),
                Asked::Refused => return None,
                Asked::Unknown => pass(self.world.dice.milliseconds(200..3000)).await,
            }
        }
        None
    }

    async fn create_once(&self, body: &Value, is_resumable: bool) -> Asked {
        let mut request = self.request(Method::POST, "/v1/verifications");
        if is_resumable {
            request = request.header("idempotency-key", format!("key-{}", self.number));
        }
        let request = request.body(Body::from(body.to_string())).expect("of the right form");
        let Some(answer) = self.send(Kind::Intake, request).await else { return Asked::Unknown };
        match answer.status.as_u16() {
            status @ (200 | 201) => {
                let created = json_of(&answer);
                let id = created["id"].as_str().unwrap_or_default();
                let key = VerificationKey::parse(TENANT, id).expect("an id of ours");
                let judge = &self.world.judge;
                judge.caller_was_told(&key, EventType::VerificationRequested);
                if status == 201 {
                    judge.caller_was_told(&key, EventType::ProcessCreated);
                }
                Asked::Created(key, created)
            }
            409 | 500..=599 => Asked::Unknown,
            _ => Asked::Refused,
        }
    }

    async fn upload_all(&self, key: &VerificationKey) {
        for depiction in ["front", "selfie"] {
            pass(self.world.dice.milliseconds(0..*self.world.dice.pick(&[10, 5000]))).await;
            if self.world.happens(0.2) {
                let twice = self.clone();
                let key = key.clone();
                tokio::spawn(async move { twice.upload(&key, depiction).await });
            }
            self.upload(key, depiction).await;
        }
    }

    async fn upload(&self, key: &VerificationKey, depiction: &str) {
        let path = format!("/v1/verifications/{}/images/{depiction}", key.id);
        for _ in 0..8 {
            // Its size tells one image from all others.
            let size = self.world.judge.next_size();
            let mut image = JPEG.to_vec();
            image.resize(usize::try_from(size).expect("small"), b'.');
            let request = self.request(Method::PUT, &path).body(Body::from(image));
            let answer = self.send(Kind::Upload, request.expect("of the right form")).await;
            match answer.map(|answer| answer.status.as_u16()) {
                Some(204) => {
                    self.world.judge.image_was_taken(key, size);
                    return;
                }
                Some(409 | 500..=599) | None => {
                    pass(self.world.dice.milliseconds(200..5000)).await;
                }
                Some(_) => return,
            }
        }
    }

    /// Cancels, or wants everything gone, at some time.
    async fn change_mind(self, key: VerificationKey) {
        let dice = &self.world.dice;
        if dice.chance(0.25) {
            pass(dice.milliseconds(0..*dice.pick(&[500, 20_000, 90_000]))).await;
            self.insist(&key, Method::POST, "/cancel", EventType::CancellationRequested).await;
        }
        if dice.chance(0.25) {
            pass(dice.milliseconds(0..*dice.pick(&[500, 20_000, 150_000]))).await;
            self.insist(&key, Method::DELETE, "", EventType::ErasureRequested).await;
        }
    }

    /// Asks until it is answered; an answer 202 must be true.
    async fn insist(&self, key: &VerificationKey, method: Method, what: &str, told: EventType) {
        let path = format!("/v1/verifications/{}{what}", key.id);
        for _ in 0..10 {
            let request = self.request(method.clone(), &path).body(Body::empty());
            let answer = self.send(Kind::Intake, request.expect("of the right form")).await;
            match answer.map(|answer| answer.status.as_u16()) {
                Some(202) => return self.world.judge.caller_was_told(key, told),
                Some(500..=599) | None => pass(self.world.dice.milliseconds(200..4000)).await,
                Some(409) if told == EventType::SubmissionRequested => {
                    pass(self.world.dice.milliseconds(200..8000)).await;
                }
                Some(_) => return,
            }
        }
    }

    /// Looks now and then; once there is an end, its result can be fetched.
    async fn wait_for_the_end(&self, key: &VerificationKey) {
        let path = format!("/v1/verifications/{}", key.id);
        for _ in 0..10 {
            let mut request = self.request(Method::GET, &path);
            if self.world.dice.chance(0.5) {
                request = request.header("prefer", "wait=20");
            }
            let request = request.body(Body::empty()).expect("of the right form");
            let answer = self.send(Kind::Intake, request).await;
            let Some(answer) = answer else { continue };
            let is_finished =
                answer.status.is_success() && json_of(&answer)["status"] == json!("finished");
            if is_finished {
                self.world.judge.caller_was_told(key, EventType::ProcessFinished);
                return self.fetch_result(key, &path).await;
            }
            pass(self.world.dice.milliseconds(1000..10_000)).await;
        }
    }

    async fn fetch_result(&self, key: &VerificationKey, path: &str) {
        let path = format!("{path}/result");
        for _ in 0..5 {
            let request = self.request(Method::GET, &path).body(Body::empty());
            let answer = self.send(Kind::Intake, request.expect("of the right form")).await;
            match answer.map(|answer| answer.status.as_u16()) {
                Some(200) => return,
                Some(410) if self.world.judge.is_to_be_erased(key) => return,
                Some(500..=599) | None => pass(Duration::from_secs(1)).await,
                Some(status) => {
                    let what = format!("{path} answered {status}, after the end was seen");
                    return self.world.judge.accuse(Rule::SealedBeforeTold, what);
                }
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", API_KEY)
            .header("content-type", "application/json")
    }

    async fn send(&self, kind: Kind, request: Request<Body>) -> Option<Answer> {
        let what = format!("{} {}", request.method(), request.uri());
        self.world.trace.say(|| format!("caller {}: {what}", self.number));
        let answer = self.world.fleet.request(&self.world, kind, request).await;
        let status = answer.as_ref().map(|answer| answer.status.as_u16());
        self.world.trace.say(|| format!("caller {}: {what}: {status:?}", self.number));
        answer
    }
}

/// What came of a creation.
enum Asked {
    Created(VerificationKey, Value),
    Refused,
    /// No answer, or one that asks to come again.
    Unknown,
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}
