//! What end-users are given, what they tell and what is found out about them: in no event, in no
//! log line, in nothing that is exported, and in no store unless it is sealed.

use std::fs;

use async_nats::jetstream;
use futures_util::TryStreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    end_user::{EndUser, token_of},
    orders::{app, capture, eid, enrolment, page, sdk},
};
use crate::{
    harness::{
        Ask, Caught, SERVICES, Scene, Stage, Verification, eventually, every_file, everything_in,
        jpeg,
    },
    privacy::{assert_clean, contains, disguises},
    telemetry::Collector,
};

const USER: &str = "Plantededa";
const PARAMETER: &str = "planted-parameter";
const RETURN: &str = "https://app.acme.example/done?customer=planted-customer#planted-fragment";
const SCAN: &str = "planted-face-scan";
const AUTHORITY: &str = "planted-authority";
const CLAIMED: &str = "planted status";
const QUERY: &str = "planted-query";
const WRONG_TOKEN: &str = "planted-wrong-token";
const TYPED: [&str; 10] = [
    USER,
    PARAMETER,
    "planted-customer",
    "planted-fragment",
    SCAN,
    AUTHORITY,
    CLAIMED,
    "planted%20status",
    QUERY,
    WRONG_TOKEN,
];

/// Every text in a document that is long enough to be known again.
fn texts(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::String(text) if text.len() < 6 => {}
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The names of what is sealed for a verification now.
async fn sealed(stage: &Stage, v: &Verification) -> Vec<String> {
    let stream = jetstream::new(stage.nats.clone()).get_stream("KV_SEALED").await.unwrap();
    let prefix = format!("$KV.SEALED.acme.{}.", v.id);
    let subjects = stream.info_with_subjects(format!("{prefix}>")).await.unwrap();
    let subjects: Vec<(String, usize)> = subjects.try_collect().await.unwrap();
    subjects.into_iter().map(|(subject, _)| subject.replace(&prefix, "")).collect()
}

/// One verification, with what must not be seen of it.
struct Person<'a> {
    stage: &'a Stage,
    v: Verification,
    planted: Vec<String>,
}

impl<'a> Person<'a> {
    async fn begins(stage: &'a Stage, mut order: Value) -> Self {
        order["user_data"] = json!({ "firstName": USER });
        order["parameters"]["note"] = json!(PARAMETER);
        if order["return_url"].is_string() {
            order["return_url"] = json!(RETURN);
        }
        let v = stage.acts().0.a_verification(order).await;
        let mut planted = Vec::new();
        texts(&v.created["next_action"], &mut planted);
        planted.retain(|text| {
            !["redirect", "use_sdk", "upload_images", "selfie"].contains(&text.as_str())
        });
        assert!(!planted.is_empty(), "{}", v.created);
        let urls = v.created["next_action"]["upload_urls"].as_object();
        for url in urls.into_iter().flat_map(|urls| urls.values()) {
            planted.push(url.as_str().unwrap().split_once("token=").unwrap().1.to_owned());
        }
        let names = sealed(stage, &v).await;
        assert!(names.iter().any(|name| name.starts_with("next-action")), "{names:?}");
        Self { stage, v, planted }
    }

    /// Goes through the page and comes back with claims of all kinds.
    async fn returns(&mut self) {
        let end_user = EndUser::new(&self.stage.caller.http);
        let back = end_user.is_sent_back(&self.v, "accepted").await;
        self.planted.push(token_of(&back));
        let back = back.replace(
            &self.stage.mailbox.as_ref().unwrap().url,
            &format!("{}/", self.stage.process("proofline-callback-receiver").url),
        );
        let join = if back.contains('?') { '&' } else { '?' };
        let odd = format!("{back}{join}more={QUERY}");
        assert_eq!(end_user.goes_to(&odd).await.status, 303);
        let lie = format!("{}?status=planted%20status", back.split('?').next().unwrap());
        assert_eq!(end_user.goes_to(&lie).await.status, 303);
    }

    async fn is_submitted_with(&self, parameters: Value) {
        let (_, when, _) = self.stage.acts();
        when.submits_with(&self.v, parameters).await.is(202);
    }

    async fn is_called_back(&mut self) {
        let (_, when, _) = self.stage.acts();
        let callback: Caught = when.a_callback_is_caught().await;
        self.planted.push(callback.token.clone());
        let authorization = callback.authorization.clone().unwrap();
        self.planted.push(authorization.trim_start_matches("Bearer ").to_owned());
        when.calls_back(&callback).await.says_nothing(200);
    }

    /// Nothing but the result is sealed after the end.
    async fn ends(&mut self) {
        let (_, _, then) = self.stage.acts();
        then.ends_as(&self.v, "accepted", "").await;
        eventually("only the result is sealed", async || {
            let names = sealed(self.stage, &self.v).await;
            if names == ["result-accepted"] { Ok(()) } else { Err(format!("{names:?}")) }
        })
        .await;
        let result = then.result(&self.v).await;
        let before = self.planted.len();
        texts(&result["user_info"], &mut self.planted);
        let is_eid = self.v.created["flow"] == "eid";
        assert_eq!(self.planted.len() > before, is_eid, "{result}");
    }
}

#[tokio::test]
async fn nothing_that_end_users_are_given_or_tell_is_seen_anywhere() {
    let collector = Collector::open().await;
    let mut scene = collector.collecting(Scene::new()).catching_callbacks();
    for service in SERVICES {
        scene = scene.with(service, "PROOFLINE_LOG", "debug");
    }
    let stage = scene.start().await;
    let (_, when, then) = stage.acts();
    let mut people = Vec::new();
    for order in [capture(&json!({})), eid(&json!({})), page(&json!({}))] {
        let mut person = Person::begins(&stage, order).await;
        person.returns().await;
        person.is_called_back().await;
        person.ends().await;
        people.push(person);
    }
    let video = json!({ "provider": "signicatvideoid", "process_type": "substantial" });
    for order in [sdk(&video), app(&json!({}))] {
        let mut person = Person::begins(&stage, order).await;
        person.is_submitted_with(json!({ "rAuthorityId": AUTHORITY })).await;
        person.is_called_back().await;
        person.ends().await;
        people.push(person);
    }
    let mut person = Person::begins(&stage, enrolment(&json!({}))).await;
    when.uploads(&person.v, "selfie", jpeg("x")).await.says_nothing(204);
    let scan = json!({ "faceScan": SCAN });
    let parameters = json!({ "facetecEnrollment": scan, "imageDepiction": "selfie" });
    person.is_submitted_with(parameters).await;
    person.is_called_back().await;
    person.ends().await;
    people.push(person);
    let end_user = EndUser::new(&stage.caller.http);
    let receiver = &stage.process("proofline-callback-receiver").url;
    let lost = end_user.goes_to(&format!("{receiver}/return/{WRONG_TOKEN}")).await;
    assert_eq!(lost.status, 404);

    let mut planted: Vec<String> = TYPED.map(String::from).to_vec();
    planted.extend(TYPED.into_iter().flat_map(disguises));
    for person in &people {
        planted.extend(person.planted.iter().cloned());
        let timeline = Value::from(then.timeline(&person.v).await).to_string();
        assert_clean("a timeline", timeline.as_bytes(), &planted);
    }
    for service in SERVICES {
        let log = stage.process(service).log();
        assert!(log.contains("\"level\":\"DEBUG\""), "{service} logged nothing at debug");
        assert_clean(&format!("the log of {service}"), log.as_bytes(), &planted);
    }
    let mut messages = 0;
    for stream in ["VERIFICATIONS", "TIMERS", "DEAD_LETTERS", "KV_SEALED", "KV_DATA_KEYS"] {
        for message in everything_in(&stage.nats, stream).await {
            assert_clean(stream, &message, &planted);
            messages += 1;
        }
    }
    assert!(messages > 40, "there is something to look through: {messages}");
    let mut places = 0;
    every_file(&stage.broker_folder(), &mut |path| {
        // A file may go while others are read.
        let Ok(content) = fs::read(path) else { return };
        places += usize::from(contains(&content, &people[0].v.id));
        assert_clean(&path.display().to_string(), &content, &planted);
    });
    assert!(places >= 3, "the log, the sealed result, the data key and the timers are there");
    stage.services_stop().await;
    assert_clean("traces and metrics", &collector.everything(), &planted);
}

#[tokio::test]
async fn what_is_sealed_for_the_end_user_goes_with_use_end_and_erasure() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    // Used: gone as soon as the verification is started, long before its end.
    let endless = json!({ "tags": ["simulate:never-finishes"] });
    let v = given.a_verification(enrolment(&endless)).await;
    when.uploads(&v, "front", jpeg("x")).await.says_nothing(204);
    let scan = json!({ "faceScan": SCAN });
    let parameters = json!({ "facetecEnrollment": scan, "imageDepiction": "front" });
    when.submits_with(&v, parameters).await.is(202);
    then.reaches(&v, "verifying").await;
    eventually("the enrolment is gone", async || {
        let names = sealed(&stage, &v).await;
        let is_there = names.iter().any(|name| name.starts_with("start-parameters"));
        if is_there { Err(format!("{names:?}")) } else { Ok(()) }
    })
    .await;
    // Discarded, expired and erased ones keep nothing either; none of them has a result.
    let canceled = given.a_verification(capture(&json!({}))).await;
    when.cancels(&canceled).await.is(202);
    let expired = given.a_verification(eid(&json!({ "expires_in_seconds": 1 }))).await;
    let erased = given.a_verification(sdk(&json!({}))).await;
    assert_eq!(sealed(&stage, &erased).await.len(), 1);
    let path = format!("/v1/verifications/{}", erased.id);
    let erasure = stage.caller.api(Method::DELETE, &path);
    erasure.ask().await.is(202);
    for v in [&canceled, &expired, &erased] {
        then.is_told(v, "process-finished", 1).await;
        eventually("no next action is sealed", async || {
            let mut names = sealed(&stage, v).await;
            names.retain(|name| !name.starts_with("result-"));
            if names.is_empty() { Ok(()) } else { Err(format!("{names:?}")) }
        })
        .await;
    }
    assert_eq!(sealed(&stage, &erased).await, Vec::<String>::new());
}
