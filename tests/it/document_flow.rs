//! The main job: from one HTTP request to one `ProcessFinished`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::{Answer, Ask, Stage, Verification, digest, jpeg, png, time_of};

const MEMBERS: [&str; 17] = [
    "created_at",
    "dossier_id",
    "expires_at",
    "finished_at",
    "flow",
    "id",
    "images",
    "next_action",
    "outcome",
    "process_id",
    "process_type",
    "provider",
    "reason",
    "reference",
    "status",
    "tags",
    "updated_at",
];

#[tokio::test]
async fn a_verification_is_created_uploaded_submitted_verified_and_finished() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let never = json!({ "tags": ["web", "simulate:never-finishes"] });

    let answer = when.creates(never).await;
    let location = answer.header("location").unwrap().to_owned();
    let v = Verification::of(answer);
    let members: Vec<_> = v.created.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, MEMBERS);
    assert_eq!(location, format!("/v1/verifications/{}", v.id));
    let (prefix, rest) = v.id.split_at(4);
    assert!(prefix == "vrf_" && (20..=40).contains(&rest.len()), "{}", v.id);
    assert!(rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()), "{}", v.id);
    for (member, value) in [
        ("flow", json!("document")),
        ("provider", json!("onfido")),
        ("process_type", json!("documentSelfie")),
        ("reference", json!("order-778")),
        ("tags", json!(["web", "simulate:never-finishes"])),
        ("status", json!("awaiting_images")),
        ("outcome", Value::Null),
        ("reason", Value::Null),
        ("images", json!([])),
        ("finished_at", Value::Null),
    ] {
        assert_eq!(v.created[member], value, "{member}");
    }
    let a_day = time_of(&v.created["expires_at"]) - time_of(&v.created["created_at"]);
    assert_eq!(a_day, time::Duration::DAY);
    let next = &v.created["next_action"];
    assert_eq!(next["type"], "upload_images");
    assert_eq!(next["depictions"], json!(["front", "selfie"]));
    let urls: Vec<_> = next["upload_urls"].as_object().unwrap().keys().collect();
    assert_eq!(urls, ["back", "front", "selfie"]);

    // In another order than they are shown in.
    when.uploads(&v, "selfie", png("selfie")).await.says_nothing(204);
    let seen = then.shows(&v).await;
    assert_eq!(seen["images"], json!(["selfie"]));
    assert_eq!(seen["next_action"]["depictions"], json!(["front"]));
    when.uploads(&v, "back", jpeg("back")).await.says_nothing(204);
    when.uploads(&v, "front", jpeg("front")).await.says_nothing(204);
    let seen = then.shows(&v).await;
    assert_eq!(seen["images"], json!(["front", "back", "selfie"]));
    assert_eq!(seen["status"], "awaiting_images");
    assert_eq!(seen["next_action"], json!({ "type": "submit" }));

    let submitted = when.submits(&v).await.is(202);
    assert_eq!(submitted["status"], "submitted");
    assert_eq!(submitted["next_action"], json!({ "type": "wait" }));
    let verifying = then.reaches(&v, "verifying").await;
    assert_eq!(verifying["next_action"], json!({ "type": "wait" }));
    assert!(time_of(&verifying["updated_at"]) > time_of(&verifying["created_at"]));
    let at_assure = then.simulator.process_of(&v).await;
    let images = json!({
        "front": digest(&jpeg("front")), "back": digest(&jpeg("back")),
        "selfie": digest(&png("selfie")),
    });
    assert_eq!(at_assure["verified"], images);

    when.simulator.finishes(&v, "accepted").await;
    let finished = then.ends_as(&v, "accepted", "").await;
    assert_eq!(finished["reason"], Value::Null);
    assert_eq!(finished["next_action"], Value::Null);
    assert_eq!(finished["images"], json!(["front", "back", "selfie"]));
    assert!(time_of(&finished["finished_at"]) > time_of(&finished["created_at"]));
    assert_eq!(when.submits(&v).await.is(202)["status"], "finished");
    assert_eq!(then.told(&v, "submission-requested").await.len(), 1);
}

#[tokio::test]
async fn with_submit_when_the_last_image_submits_it() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let wanted = json!({ "submit_when": ["front", "back", "selfie"] });
    let v = given.a_verification(wanted).await;
    assert_eq!(v.created["next_action"]["depictions"], json!(["front", "back", "selfie"]));

    for depiction in ["selfie", "front"] {
        when.uploads(&v, depiction, jpeg(depiction)).await.says_nothing(204);
    }
    assert_eq!(then.shows(&v).await["status"], "awaiting_images");
    when.uploads(&v, "back", jpeg("back")).await.says_nothing(204);

    then.ends_as(&v, "accepted", "").await;
    let told = then.told(&v, "submission-requested").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["automatic"], true);
    assert_eq!(told[0]["depictions"], json!(["front", "back", "selfie"]));
}

#[tokio::test]
async fn the_timeline_tells_everything_that_happened_oldest_first() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification_at_work().await;

    when.simulator.finishes(&v, "accepted").await;
    then.finishes(&v).await;

    let events = then.timeline(&v).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["source"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("proofline.v1.verification-requested", "/proofline/intake"),
            ("proofline.v1.dossier-created", "/proofline/intake"),
            ("proofline.v1.process-created", "/proofline/intake"),
            ("proofline.v1.upload-started", "/proofline/upload"),
            ("proofline.v1.image-uploaded", "/proofline/upload"),
            ("proofline.v1.upload-started", "/proofline/upload"),
            ("proofline.v1.image-uploaded", "/proofline/upload"),
            ("proofline.v1.submission-requested", "/proofline/intake"),
            ("proofline.v1.verification-started", "/proofline/verifier"),
            ("proofline.v1.completion-signalled", "/proofline/callback-receiver"),
            ("proofline.v1.process-finished", "/proofline/result-normaliser"),
        ]
    );
    let sequences: Vec<_> = events.iter().map(|e| e["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");
    assert!(events.iter().map(|e| time_of(&e["time"])).is_sorted());
    for event in &events {
        let members: Vec<_> = event.as_object().unwrap().keys().collect();
        assert_eq!(members, ["data", "sequence", "source", "time", "type"]);
        assert_eq!(event["data"]["tenant"], "acme");
        assert_eq!(event["data"]["verification_id"], v.id.as_str());
    }
    assert_eq!(events[0]["data"]["reference"], "order-778");
    assert_eq!(events[2]["data"]["process_id"], v.process_id.as_str());
    let uploaded = &events[4]["data"];
    assert_eq!(uploaded["depiction"], "front");
    assert_eq!(uploaded["media_type"], "image/jpeg");
    assert_eq!(uploaded["size_bytes"], jpeg("front").len());
    assert_eq!(events[9]["data"]["source"], "callback");
    assert_eq!(events[10]["data"]["outcome"], "accepted");
}

#[tokio::test]
async fn the_result_is_normalised_and_keeps_what_assure_said() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification_at_work().await;
    let path = format!("/v1/verifications/{}/result", v.id);
    when.caller.get(&path).ask().await.problem(409, "not-finished");

    when.simulator.finishes(&v, "accepted").await;
    then.finishes(&v).await;

    let result = then.result(&v).await;
    let members: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "depictions",
        "fetched_at",
        "final_result",
        "omitted",
        "outcome",
        "process",
        "process_type",
        "provider",
        "provider_result",
        "user_info",
        "verification_id",
    ];
    assert_eq!(members, expected);
    assert_eq!(result["verification_id"], v.id.as_str());
    assert_eq!(result["outcome"], "accepted");
    assert_eq!(result["provider"], "onfido");
    assert_eq!(result["process_type"], "documentSelfie");
    assert_eq!(
        result["final_result"],
        json!({
            "first_name": "INGA", "last_name": "OPPDIKTET", "last_name_second_line": null,
            "date_of_birth": "1991-04-12", "place_of_birth": "PRØVESUND", "gender": "F",
            "nationality": "NOR", "personal_identification_number": null,
            "document_type": "passport", "document_number": "ZZ0000042",
            "issuing_country": "NOR", "date_of_issue": "2021-06-30",
            "date_of_expiry": "2031-06-30", "similarity_score": "high",
            "liveness_detected": null,
        })
    );
    let answer = then.simulator.get_process(&v).await;
    assert_eq!(result["process"], answer);
    assert_eq!(result["provider_result"], answer["providerSpecific"]);
    assert_eq!(result["depictions"], json!(["front", "selfie"]));
    assert_eq!(result["user_info"], Value::Null);
    assert_eq!(result["omitted"], json!([]));
    time_of(&result["fetched_at"]);
}

#[tokio::test]
async fn without_a_final_result_of_assures_there_is_none_of_ours() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let tagged = |tag: &str| json!({ "tags": [tag] });

    let accepted = given.a_submitted_verification(tagged("simulate:no-final-result")).await;
    let rejected = given.a_submitted_verification(tagged("simulate:rejected")).await;

    then.ends_as(&accepted, "accepted", "").await;
    then.ends_as(&rejected, "rejected", "").await;
    for (v, outcome) in [(&accepted, "accepted"), (&rejected, "rejected")] {
        let result = then.result(v).await;
        assert_eq!(result["outcome"], outcome);
        assert_eq!(result["final_result"], Value::Null);
        assert_eq!(result["process"]["status"], outcome);
        assert_eq!(result["provider_result"], result["process"]["providerSpecific"]);
    }
}

#[tokio::test]
async fn a_caller_that_waits_is_answered_at_the_end() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification_at_work().await;
    let look =
        |seconds: &str| stage.caller.look_at(&v.id).header("prefer", format!("wait={seconds}"));
    let applied = |answer: &Answer| answer.header("preference-applied").map(str::to_owned);

    let started = Instant::now();
    let too_early = look("1").ask().await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(applied(&too_early).as_deref(), Some("wait=1"));
    assert_eq!(too_early.is(200)["status"], "verifying");

    let started = Instant::now();
    let finish = async {
        // The other request is on its way first, as far as anybody can tell from outside.
        then.shows(&v).await;
        when.simulator.finishes(&v, "accepted").await;
    };
    let (answer, ()) = tokio::join!(look("15").ask(), finish);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(applied(&answer).as_deref(), Some("wait=15"));
    assert_eq!(answer.is(200)["status"], "finished");

    let clamped = look("600").ask().await;
    assert_eq!(applied(&clamped).as_deref(), Some("wait=60"));
    let at_once = stage.caller.look_at(&v.id).ask().await;
    assert_eq!(applied(&at_once), None);
}
