//! Dead letters keep the original of what could not be handled, and show it to operators: neither
//! has anything of the person whose verification it is.

use std::fs;

use proofline_subscriber::Failure;
use serde_json::{Value, json};

use super::{FOUND, assert_clean, contains, disguises};
use crate::{
    harness::{
        Caught, SECRETS, SERVICES, Scene, Stage, Verification, every_file, everything_in, jpeg,
    },
    operator::{letters, plant},
    subscribers::subscribe,
    webhooks::{envelope, send},
};

const IMAGE: &str = "sown in an image";
const USER: &str = "Sowneda";
const PARAMETER: &str = "sown-parameter";
const SCAN: &str = "sown-face-scan";
const CLAIMED: &str = "SOWN STATUS";
const TAG: &str = "sown-tag-of-another-system";
const TYPED: [&str; 6] = [IMAGE, USER, PARAMETER, SCAN, CLAIMED, TAG];

/// What must not be seen of anybody.
fn planted() -> Vec<String> {
    let all = TYPED.into_iter().chain(FOUND).chain(SECRETS);
    all.clone().map(String::from).chain(all.flat_map(disguises)).collect()
}

/// An enrolment whose images are in, with something planted in every personal field.
async fn a_person(stage: &Stage) -> Verification {
    let (given, when, _) = stage.acts();
    let enrolment = json!({
        "provider": "facetec", "process_type": null, "document": null,
        "user_data": { "firstName": USER }, "parameters": { "note": PARAMETER },
    });
    let v = given.a_verification(enrolment).await;
    when.uploads(&v, "selfie", jpeg(IMAGE)).await.says_nothing(204);
    v
}

async fn submits(stage: &Stage, v: &Verification) {
    let scan = json!({ "faceScan": SCAN });
    let parameters = json!({ "facetecEnrollment": scan, "imageDepiction": "selfie" });
    stage.acts().1.submits_with(v, parameters).await.is(202);
}

/// One dead letter for each kind of original that a service puts aside: a submission, and the
/// signals that callbacks and webhooks lead to, both telling lies. Answers the callback.
async fn services_cannot_handle(stage: &Stage) -> Caught {
    let (_, when, then) = stage.acts();
    let submitted = a_person(stage).await;
    let verifier = stage.process("proofline-verifier");
    verifier.signal("-STOP").await;
    submits(stage, &submitted).await;
    plant(stage, "image-uploaded", &submitted).await;
    verifier.signal("-CONT").await;

    let signalled = a_person(stage).await;
    submits(stage, &signalled).await;
    then.reaches(&signalled, "verifying").await;
    let mut callback = when.a_callback_is_caught().await;
    plant(stage, "image-uploaded", &signalled).await;
    callback.body["status"] = json!(CLAIMED);
    when.calls_back(&callback).await.says_nothing(200);
    let tags = json!([format!("proofline:acme:{}", signalled.id), TAG]);
    let data = json!({ "status": CLAIMED, "processId": CLAIMED, "firstName": USER });
    assert_eq!(send(stage, envelope("e1", tags, data)).await.status, 200);
    callback
}

#[tokio::test]
async fn a_dead_letter_keeps_nothing_of_a_person_nor_is_any_shown() {
    let mut scene = Scene::new().catching_callbacks().with_webhooks();
    for service in SERVICES {
        scene = scene.with(service, "PROOFLINE_LOG", "debug");
    }
    let stage = scene.start().await;
    let (_, when, then) = stage.acts();
    let (heard, _running) =
        subscribe(&stage, |_| async { Err(Failure::reject("no-such-order", "nobody ordered")) })
            .await;
    let ended = a_person(&stage).await;
    submits(&stage, &ended).await;
    let callback = when.a_callback_is_caught().await;
    when.calls_back(&callback).await.says_nothing(200);
    then.ends_as(&ended, "accepted", "").await;
    heard.hears(&ended, 1).await;
    let mut planted = planted();
    for callback in [callback, services_cannot_handle(&stage).await] {
        planted.push(callback.authorization.unwrap().replace("Bearer ", ""));
        planted.push(callback.token);
    }

    let listed = letters(&stage, &[], 4).await;

    let event = |letter: &Value| {
        let subject = letter["original"]["subject"].as_str().unwrap();
        subject.split('.').nth(2).unwrap().to_owned()
    };
    let mut originals: Vec<_> = listed.iter().map(event).collect();
    originals.sort_unstable();
    let (signal, end) = ("completion-signalled", "process-finished");
    assert_eq!(originals, [signal, signal, end, "submission-requested"]);
    for letter in &listed {
        let sequence = letter["sequence"].to_string();
        for format in [&["dead", "show", &sequence][..], &["dead", "show", &sequence, "--json"]] {
            let shown = stage.types(format).await.worked();
            assert!(shown.contains("vrf_"), "{shown}");
            assert_clean("what is shown", shown.as_bytes(), &planted);
        }
    }
    assert_clean("the list", json!(listed).to_string().as_bytes(), &planted);
    let kept = everything_in(&stage.nats, "DEAD_LETTERS").await;
    assert_eq!(kept.len(), 4);
    for letter in &kept {
        assert_clean("DEAD_LETTERS", letter, &planted);
    }
    let mut places = 0;
    every_file(&stage.broker_folder(), &mut |path| {
        // A file may go while others are read.
        let Ok(content) = fs::read(path) else { return };
        places += usize::from(contains(&content, "proofline-dead-reason"));
        assert_clean(&path.display().to_string(), &content, &planted);
    });
    assert!(places > 0, "dead letters are on the disk");
    for (name, log) in stage.logs().filter(|(name, _)| *name != "assure-simulator") {
        assert_clean(&format!("the log of {name}"), log.as_bytes(), &planted);
    }
}
