//! Uploads and submissions at once: what is verified is exactly what was answered 204.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use super::harness::{Fleet, INTAKE, Journey, Plan, UPLOAD, try_ask};
use crate::harness::{Ask, Verification, digest, jpeg};

const UPLOADS: usize = 20;
const SUBMISSIONS: usize = 20;
const DEPICTIONS: [&str; 2] = ["front", "selfie"];

/// An upload that was answered 204.
#[derive(Debug)]
struct Taken {
    depiction: &'static str,
    /// By which the log knows it: no two are of one size.
    size: u64,
    digest: String,
    sent: Instant,
    answered: Instant,
}

/// Tries an image until it is taken, or the verification takes no more.
async fn uploads(fleet: &Fleet, v: &Verification, number: usize) -> Option<Taken> {
    let caller = fleet.caller_of(number, number / 2);
    let depiction = DEPICTIONS[number % DEPICTIONS.len()];
    let image = jpeg(&"x".repeat(number + 1));
    let mut pace = interval(std::time::Duration::from_millis(5));
    loop {
        pace.tick().await;
        let sent = Instant::now();
        let answer = caller.put_image(&v.id, depiction).body(image.clone()).ask().await;
        match answer.status {
            204 => {
                let (size, digest) = (image.len() as u64, digest(&image));
                return Some(Taken { depiction, size, digest, sent, answered: Instant::now() });
            }
            409 if answer.header("retry-after").is_some() => {
                answer.come_again(409, "upload-in-progress");
            }
            409 => {
                let code = answer.body["type"].as_str().unwrap().rsplit(':').next().unwrap();
                assert!(["already-submitted", "already-finished"].contains(&code), "{code}");
                return None;
            }
            _ => {
                answer.come_again(503, "assure-unavailable");
            }
        }
    }
}

/// Tries to submit until that is done.
async fn submits(fleet: &Fleet, v: &Verification, number: usize) {
    let caller = fleet.caller_of(number, 0);
    let path = format!("/v1/verifications/{}/submit", v.id);
    let mut pace = interval(std::time::Duration::from_millis(5));
    loop {
        pace.tick().await;
        let answer = try_ask(caller.post(&path)).await.unwrap();
        match answer.status {
            202 => return,
            409 if answer.header("retry-after").is_some() => {
                answer.come_again(409, "upload-in-progress");
            }
            _ => {
                answer.problem(409, "images-missing");
            }
        }
    }
}

/// One race, and what must be so of it however it went.
async fn race(fleet: &Fleet, round: usize) {
    let journey = Journey::new(fleet.caller(), format!("round {round}"), json!({}));
    let v = journey.begins().await;

    let uploads = join_all((0..UPLOADS).map(|number| uploads(fleet, &v, number)));
    let submissions = join_all((0..SUBMISSIONS).map(|number| submits(fleet, &v, number)));
    let (taken, _) = tokio::join!(uploads, submissions);
    journey.ends(&v).await;

    let taken: Vec<Taken> = taken.into_iter().flatten().collect();
    let path = format!("/v1/verifications/{}/events", v.id);
    let timeline = fleet.caller().get(&path).ask().await.is(200)["events"].take();
    let timeline = timeline.as_array().unwrap();
    let verified = fleet.simulator.process_of(&v).await["verified"].clone();
    assert_none_after_submission(timeline);
    assert_eq!(verified.as_object().unwrap().len(), DEPICTIONS.len(), "{verified}");
    for depiction in DEPICTIONS {
        let taken: Vec<_> = taken.iter().filter(|taken| taken.depiction == depiction).collect();
        let by_digest = |taken: &&&Taken| verified[depiction] == taken.digest.as_str();
        let winner = taken.iter().find(by_digest);
        let winner = winner.unwrap_or_else(|| panic!("not answered 204: {verified}, {taken:?}"));
        // By the callers' own clocks: nobody was answered later who began after the winner's end.
        for other in &taken {
            assert!(other.sent < winner.answered, "{other:?} replaced {winner:?}");
        }
        // By the log: those that were answered 204, each once, the winner last.
        let mut logged = sizes(timeline, depiction);
        assert_eq!(logged.last(), Some(&winner.size), "{depiction}");
        let mut answered: Vec<_> = taken.iter().map(|taken| taken.size).collect();
        logged.sort_unstable();
        answered.sort_unstable();
        assert_eq!(logged, answered, "{depiction}");
    }
}

fn is(event: &Value, word: &str) -> bool {
    event["type"].as_str().unwrap().ends_with(word)
}

/// The sizes of the images of a depiction in the order in which they were taken.
fn sizes(timeline: &[Value], depiction: &str) -> Vec<u64> {
    let uploaded = timeline.iter().filter(|event| is(event, ".image-uploaded"));
    let of_it = uploaded.filter(|event| event["data"]["depiction"] == depiction);
    of_it.map(size_of).collect()
}

fn size_of(event: &Value) -> u64 {
    let size = &event["data"]["size_bytes"];
    size.as_u64().or_else(|| size.as_str()?.parse().ok()).unwrap()
}

/// A submission stands after the end of each upload, and none begins after it.
fn assert_none_after_submission(timeline: &[Value]) {
    let mut open = BTreeMap::new();
    let mut is_submitted = false;
    for event in timeline {
        let upload = event["data"]["upload_id"].as_str();
        if is(event, ".upload-started") {
            assert!(!is_submitted, "an upload began after the submission: {event}");
            open.insert(upload, event);
        } else if is(event, ".image-uploaded") || is(event, ".upload-failed") {
            open.remove(&upload);
        } else if is(event, ".submission-requested") {
            assert!(!is_submitted, "submitted twice");
            assert!(open.is_empty(), "submitted during {open:?}");
            is_submitted = true;
        }
    }
    assert!(is_submitted);
}

#[tokio::test]
async fn twenty_uploads_racing_twenty_submissions_are_verified_as_they_were_answered() {
    let fleet = Plan::new().replicas(INTAKE, 2).replicas(UPLOAD, 2).start().await;
    for round in 0..6 {
        race(&fleet, round).await;
    }
}

#[tokio::test]
async fn an_image_that_may_have_arrived_is_never_verified_for_one_that_was_answered() {
    let fleet = Plan::new().replicas(INTAKE, 2).replicas(UPLOAD, 2).start().await;
    let sometimes = |more: Value| {
        let mut fault = json!({ "when": { "probability": 0.2 } });
        fault["carriedOut"] = more;
        fault
    };
    fleet.simulator.goes_wrong("setImages", json!("reset"), sometimes(json!(true))).await;
    fleet.simulator.goes_wrong("setImages", json!("garbage"), sometimes(json!(false))).await;
    let slow = json!({ "slow": { "ms": 15 } });
    fleet.simulator.goes_wrong("setImages", slow, sometimes(json!(false))).await;
    for round in 0..4 {
        race(&fleet, round).await;
    }
}
