//! What callers are told of requests that can't be, and of an Assure that refuses or is away.

use proofline_events::v1::{Outcome, SignalSource};
use serde_json::{Value, json};

use crate::harness::{Answer, Ask, Caller, Stage, eventually, heic, jpeg, order};

async fn create(stage: &Stage, body: impl Into<reqwest::Body>) -> Answer {
    let request = stage.caller.post("/v1/verifications").body(body);
    request.header("content-type", "application/json").ask().await
}

#[tokio::test]
async fn what_is_no_json_is_malformed_and_what_is_too_large_is_not_read() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();

    for body in ["", "{", "{\"flow\":", "{} {}", "\u{feff}{}", "{\"flow\":\"document\",}"] {
        create(&stage, body).await.problem(400, "malformed");
    }
    create(&stage, vec![b'"', 0xff, b'"']).await.problem(400, "malformed");
    let fits = order(&json!({ "parameters": { "text": "x".repeat(1_000_000) } }));
    create(&stage, fits.to_string()).await.is(201);
    let large = order(&json!({ "parameters": { "text": "x".repeat(1024 * 1024) } }));
    create(&stage, large.to_string()).await.problem(413, "payload-too-large");

    let v = given.a_complete_verification(json!({})).await;
    let path = format!("/v1/verifications/{}/submit", v.id);
    when.caller.post(&path).body("{").ask().await.problem(400, "malformed");
    let wrong = json!({ "parameters": [], "more": 1 });
    let answer = when.caller.post(&path).json(&wrong).ask().await;
    assert_eq!(answer.pointers(), ["/more", "/parameters"]);
    assert_eq!(then.shows(&v).await["status"], "awaiting_images");
    when.caller.post(&path).json(&json!({ "parameters": {} })).ask().await.is(202);
}

#[tokio::test]
async fn every_fault_of_a_creation_is_told_at_once() {
    let stage = Stage::start().await;
    let faulty = json!({
        "flow": "telepathy", "provider": 7, "process_type": ["document"], "capture_by": "drone",
        "document": { "type": 1, "country": "Norway", "id": "1", "colour": "red" },
        "submit_when": ["front", "portrait", 3], "reference": "a\u{7}b",
        "tags": ["web", "", "x".repeat(65), null], "expires_in_seconds": 2_592_001,
        "user_data": "Inga", "parameters": [], "options": 1, "return_url": 5,
        "same_dossier_as": {}, "surprise": true, "a/b~c": 1,
    });

    let answer = create(&stage, faulty.to_string()).await;

    assert_eq!(
        answer.pointers(),
        [
            "/a~1b~0c",
            "/capture_by",
            "/document/colour",
            "/document/country",
            "/document/id",
            "/document/type",
            "/expires_in_seconds",
            "/flow",
            "/options",
            "/parameters",
            "/process_type",
            "/provider",
            "/reference",
            "/return_url",
            "/same_dossier_as",
            "/submit_when/1",
            "/submit_when/2",
            "/surprise",
            "/tags/1",
            "/tags/2",
            "/tags/3",
            "/user_data",
        ]
    );
    assert!(!answer.bytes.windows(4).any(|part| part == b"Inga"), "values are not repeated");
}

#[tokio::test]
async fn what_can_be_read_but_cannot_be_done_is_told_at_its_place() {
    let stage = Stage::start().await;
    let many: Vec<_> = (0..21).map(|i| i.to_string()).collect();
    let own = json!({ "notificationUrl": "https://x", "authorizationHeader": "x", "redact": [] });
    let cases = [
        (json!({ "provider": null }), vec!["/provider"]),
        (json!({ "provider": "nobody" }), vec!["/provider"]),
        (json!({ "process_type": "hologram" }), vec!["/process_type"]),
        (json!({ "document": null }), vec!["/document/type"]),
        (json!({ "capture_by": "page" }), vec!["/capture_by"]),
        (
            json!({ "process_type": "document", "submit_when": ["front", "selfie"] }),
            vec!["/submit_when/1"],
        ),
        (json!({ "submit_when": ["front"] }), vec!["/submit_when"]),
        (json!({ "expires_in_seconds": 0 }), vec!["/expires_in_seconds"]),
        (json!({ "expires_in_seconds": 1.5 }), vec!["/expires_in_seconds"]),
        (json!({ "reference": "x".repeat(129) }), vec!["/reference"]),
        (json!({ "tags": many }), vec!["/tags"]),
        (
            json!({ "options": own, "reference": 1 }),
            vec!["/options/authorizationHeader", "/options/notificationUrl", "/reference"],
        ),
    ];

    for (members, pointers) in cases {
        let answer = create(&stage, order(&members).to_string()).await;
        assert_eq!(answer.pointers(), pointers, "{members}");
    }
    for body in ["[]", "null", "\"x\"", "1"] {
        assert_eq!(create(&stage, body).await.pointers(), [""], "{body}");
    }
    assert!(stage.acts().2.ends().await.is_empty());
    assert!(stage.simulator.dossiers().await.is_empty(), "Assure was not bothered");
}

#[tokio::test]
async fn at_the_limits_everything_is_taken() {
    let stage = Stage::start().await;
    let (given, ..) = stage.acts();
    let tags: Vec<_> = (0..20).map(|i| format!("{i:064}")).collect();
    let reference = "ø".repeat(128);

    let v = given
        .a_verification(json!({
            "reference": reference, "tags": tags, "expires_in_seconds": 2_592_000,
            "capture_by": null, "submit_when": null, "return_url": null, "same_dossier_as": null,
            "user_data": null, "parameters": null, "options": null,
        }))
        .await;

    assert_eq!(v.created["reference"], reference.as_str());
    assert_eq!(v.created["tags"], json!(tags));
}

#[tokio::test]
async fn what_assure_refuses_is_told_in_its_words_and_ends_the_verification() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();

    // The simulator refuses a misspelt script.
    let answer = when.creates(json!({ "tags": ["simulate:acepted"] })).await;

    let problem = answer.problem(422, "assure-refused");
    assert!(problem["detail"].as_str().unwrap().contains("acepted"), "{problem}");
    assert!(problem["assure_title"].is_string(), "{problem}");
    assert_eq!(problem["assure_status"], 400);
    let trace_id = problem["assure_trace_id"].as_str().unwrap();
    assert_eq!(trace_id.len(), 32, "{problem}");
    let end = then.the_only_end().await.event;
    assert_eq!(end.outcome(), Outcome::Failed);
    assert_eq!(end.reason_code, "setup-refused");
    assert_eq!((end.process_id.as_str(), end.assure_status.as_str()), ("", ""));
    assert_eq!(end.signal_source(), SignalSource::Unspecified);
    let seen = stage.caller.look_at(&end.verification_id).ask().await.is(200);
    assert_eq!(seen["status"], "finished");
    assert_eq!(seen["reason"]["code"], "setup-refused");
    assert!(!seen["reason"]["message"].as_str().unwrap().contains("acepted"), "our words alone");
    let path = format!("/v1/verifications/{}/result", end.verification_id);
    let result = stage.caller.get(&path).ask().await.is(200);
    assert_eq!(result["outcome"], "failed");
    for member in ["final_result", "provider_result", "process", "user_info"] {
        assert_eq!(result[member], Value::Null, "{member}");
    }
    eventually("what was left in Assure is deleted", async || {
        let left = then.simulator.dossiers().await;
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

#[tokio::test]
async fn with_assure_gone_a_creation_is_503_and_without_a_key_it_fails_at_once() {
    let stage = Stage::start().await;
    stage.process("assure-simulator").kill().await;
    let (_, when, then) = stage.acts();

    when.creates(json!({})).await.come_again(503, "assure-unavailable");

    let end = then.the_only_end().await.event;
    assert_eq!(end.outcome(), Outcome::Failed);
    assert_eq!(end.reason_code, "setup-failed");
    assert_eq!((end.dossier_id.as_str(), end.process_id.as_str()), ("", ""));
    let seen = stage.caller.look_at(&end.verification_id).ask().await.is(200);
    assert_eq!(seen["outcome"], "failed");
    assert_eq!(seen["dossier_id"], Value::Null);
    assert_eq!(seen["process_id"], Value::Null);
    for service in crate::harness::SERVICES {
        assert_eq!(stage.readiness(service).await, Some(200), "Assure's absence is not ours");
    }
}

#[tokio::test]
async fn how_long_assure_wants_to_be_left_alone_is_passed_on_and_kept_to() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let limited = json!({ "status": { "code": 429, "retryAfter": { "seconds": 30 } } });
    when.simulator.goes_wrong("token", limited, json!({})).await;

    let first = when.creates(json!({})).await.come_again(503, "assure-unavailable");
    when.simulator.recovers().await;
    let second = when.creates(json!({})).await.come_again(503, "assure-unavailable");

    assert!((25..=30).contains(&second) && second <= first, "{first}, then {second}");
    assert!(then.simulator.dossiers().await.is_empty());
}

#[tokio::test]
async fn wrong_credentials_at_assure_are_unavailability_for_the_caller() {
    let scene = crate::harness::Scene::new();
    let scene = scene.with("proofline-intake", "ASSURE_CLIENT_ID", "somebody-else");
    let stage = scene.start().await;

    let answer = stage.acts().1.creates(json!({})).await;

    answer.come_again(503, "assure-unavailable");
    let log = stage.process("proofline-intake").log();
    assert!(
        log.lines().any(|line| line.contains("ERROR") && line.contains("credentials")),
        "{log}"
    );
}

#[tokio::test]
async fn whoever_is_still_sending_gets_to_read_why_it_is_in_vain() {
    let stage = Stage::start().await;
    let (given, ..) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let caller = &stage.caller;
    let nobody = Caller { key: "nobody's", ..caller.clone() };
    let large = |first: Vec<u8>, megabytes: usize| [first, vec![b'x'; megabytes << 20]].concat();
    let receiver = &stage.process("proofline-callback-receiver").url;
    let callback = caller.http.post(format!("{receiver}/callbacks/guessed"));

    for (request, status, code) in [
        (nobody.put_image(&v.id, "front").body(large(jpeg(""), 8)), 401, "unauthorized"),
        (caller.put_image("vrf_", "front").body(large(jpeg(""), 8)), 404, "not-found"),
        (caller.put_image(&v.id, "front").body(large(heic(), 8)), 415, "unsupported-image"),
        (caller.put_image(&v.id, "front").body(large(jpeg(""), 12)), 413, "image-too-large"),
        (nobody.post("/v1/verifications").body(large(Vec::new(), 2)), 401, "unauthorized"),
        (caller.post("/v1/verifications").body(large(Vec::new(), 3)), 413, "payload-too-large"),
        (callback.body(large(Vec::new(), 1)), 401, "unauthorized"),
    ] {
        request.ask().await.problem(status, code);
    }
}
