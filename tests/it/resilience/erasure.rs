//! Erasure: afterwards nobody finds anything, here, on the disk or at Assure.

use std::fs;

use async_nats::jetstream;
use bytes::Bytes;
use proofline_events::v1::Outcome;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Fleet, Journey, Plan, soon};
use crate::harness::{Ask, Verification, every_file, jpeg};

const USER: &str = "Plantededa";
const IMAGE: &str = "planted in an image";
/// What the simulator finds out about everybody.
const FOUND: [&str; 4] = ["INGA", "OPPDIKTET", "ZZ0000042", "1991-04-12"];

/// What must not be found any more, by what it is.
struct Traces(Vec<(&'static str, Bytes)>);

impl Traces {
    /// Of a verification that is finished: what is personal about it, and what reads it.
    async fn of(fleet: &Fleet, v: &Verification) -> Self {
        let texts = [USER, IMAGE].into_iter().chain(FOUND);
        let mut traces: Vec<_> = texts.map(|text| (text, Bytes::from(text))).collect();
        let key = stored(fleet, "KV_DATA_KEYS", &format!("$KV.DATA_KEYS.acme.{}", v.id)).await;
        let result = format!("$KV.SEALED.acme.{}.result-accepted", v.id);
        traces.push(("the data key", key));
        traces.push(("the sealed result", stored(fleet, "KV_SEALED", &result).await));
        Self(traces)
    }

    fn in_bytes(&self, place: &str, content: &[u8]) -> Vec<String> {
        let is_in = |trace: &Bytes| content.windows(trace.len()).any(|part| part == trace);
        let found = self.0.iter().filter(|(_, trace)| is_in(trace));
        found.map(|(name, _)| format!("{name} in {place}")).collect()
    }

    /// In every file that the broker has.
    fn on_disk(&self, fleet: &Fleet) -> Vec<String> {
        let mut found = Vec::new();
        every_file(&fleet.broker_folder(), &mut |path| {
            // A file may go while others are read.
            if let Ok(content) = fs::read(path) {
                found.extend(self.in_bytes(&path.display().to_string(), &content));
            }
        });
        found
    }

    /// In every answer about a verification.
    async fn in_answers(&self, fleet: &Fleet, v: &Verification) -> Vec<String> {
        let mut found = Vec::new();
        for path in ["", "/events", "/result", "/images/front", "/images/selfie", "/video"] {
            let path = format!("/v1/verifications/{}{path}", v.id);
            let answer = fleet.caller().get(&path).ask().await;
            found.extend(self.in_bytes(&path, &answer.bytes));
        }
        found
    }
}

async fn stored(fleet: &Fleet, stream: &str, subject: &str) -> Bytes {
    let jetstream = jetstream::new(fleet.nats.clone());
    let stream = jetstream.get_stream(stream).await.unwrap();
    stream.get_last_raw_message_by_subject(subject).await.unwrap().payload
}

async fn erases(fleet: &Fleet, v: &Verification) {
    let path = format!("/v1/verifications/{}", v.id);
    fleet.caller().api(Method::DELETE, &path).ask().await.is(202);
}

async fn is_erased(fleet: &Fleet, v: &Verification) -> Value {
    let path = format!("/v1/verifications/{}/events", v.id);
    soon("it is erased", async || {
        let events = fleet.caller().get(&path).ask().await.is(200)["events"].take();
        let last = events.as_array().unwrap().last().unwrap();
        if last["type"] == "proofline.v1.data-erased" { Ok(()) } else { Err(last.to_string()) }
    })
    .await;
    fleet.caller().look_at(&v.id).ask().await.is(200)
}

#[tokio::test]
async fn after_an_erasure_nothing_is_found_in_any_answer_on_the_disk_or_at_assure() {
    let fleet = Plan::new().start().await;
    let members = json!({ "user_data": { "firstName": USER } });
    let journey = Journey::new(fleet.caller(), "k", members);
    let v = journey.begins().await;
    for depiction in ["front", "selfie"] {
        let image = jpeg(&format!("{IMAGE}: {depiction}"));
        let upload = journey.caller.put_image(&v.id, depiction).body(image);
        upload.ask().await.says_nothing(204);
    }
    journey.caller.post(&format!("/v1/verifications/{}/submit", v.id)).ask().await.is(202);
    journey.ends(&v).await;
    let traces = Traces::of(&fleet, &v).await;
    soon("key and result are on the disk", async || {
        let found = traces.on_disk(&fleet);
        if found.len() >= 2 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    assert!(traces.in_answers(&fleet, &v).await.len() >= FOUND.len(), "the result is readable");

    erases(&fleet, &v).await;
    let seen = is_erased(&fleet, &v).await;

    assert_eq!(seen["status"], "erased");
    erases(&fleet, &v).await;
    let result = fleet.caller().get(&format!("/v1/verifications/{}/result", v.id)).ask().await;
    result.problem(410, "erased");
    assert_eq!(traces.in_answers(&fleet, &v).await, Vec::<String>::new());
    assert_eq!(fleet.simulator.dossiers().await, Vec::<Value>::new());
    soon("nothing is on the disk", async || {
        let found = traces.on_disk(&fleet);
        if found.is_empty() { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    fleet.broker.lock().await.restart().await;
    assert_eq!(traces.on_disk(&fleet), Vec::<String>::new());
    for (program, log) in fleet.logs() {
        assert_eq!(traces.in_bytes(program, log.as_bytes()), Vec::<String>::new());
    }
    assert_eq!(fleet.ends_of(&v.id).await.len(), 1);
}

#[tokio::test]
async fn what_is_at_work_is_canceled_and_deleted_as_soon_as_assure_lets_it_go() {
    let fleet = Plan::new().start().await;
    let members = json!({ "tags": ["simulate:never-finishes"] });
    let journey = Journey::new(fleet.caller(), "k", members);
    let v = journey.begins().await;
    let started = fleet.told("verification-started").await;
    journey.is_submitted(&v).await;
    started.await;

    erases(&fleet, &v).await;

    soon("Assure has refused to delete it", async || {
        let calls = fleet.calls().await;
        let refused = |operation| calls.iter().any(|c| c.is(operation) && c.status == Some(409));
        if refused("deleteProcess") { Ok(()) } else { Err(format!("{calls:?}")) }
    })
    .await;
    let ends = fleet.ends_of(&v.id).await;
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0].event.outcome(), Outcome::Canceled);
    assert_eq!(ends[0].event.reason_code, "canceled-by-caller");
    let seen = fleet.caller().look_at(&v.id).ask().await.is(200);
    assert_eq!(seen["status"], "erased");
    assert_eq!(fleet.simulator.dossiers().await.len(), 1);

    fleet.simulator.finishes(&v, "accepted").await;
    is_erased(&fleet, &v).await;
    assert_eq!(fleet.simulator.dossiers().await, Vec::<Value>::new());
    assert_eq!(fleet.ends_of(&v.id).await.len(), 1);
}

#[tokio::test]
async fn what_was_never_submitted_is_canceled_and_gone() {
    let fleet = Plan::new().start().await;
    let members = json!({ "user_data": { "firstName": USER } });
    let journey = Journey::new(fleet.caller(), "k", members);
    let v = journey.begins().await;

    erases(&fleet, &v).await;
    let seen = is_erased(&fleet, &v).await;

    assert_eq!((&seen["status"], &seen["outcome"]), (&json!("erased"), &json!("canceled")));
    assert_eq!(fleet.simulator.dossiers().await, Vec::<Value>::new());
    let upload = journey.caller.put_image(&v.id, "front").body(jpeg("late"));
    upload.ask().await.problem(409, "already-finished");
    let ends = fleet.ends_of(&v.id).await;
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0].event.outcome(), Outcome::Canceled);
    // Whoever repeats the creation gets what is left, and creates nothing.
    let repeated = journey.begins().await;
    assert_eq!(repeated.created["status"], "erased");
    assert_eq!(fleet.simulator.dossiers().await, Vec::<Value>::new());
}
