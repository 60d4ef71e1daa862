//! Creations that are repeated.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Answer, Ask, Stage, jpeg, order};

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

/// What Assure has: dossiers, and processes in each.
async fn in_use(stage: &Stage) -> Vec<usize> {
    let dossiers = stage.simulator.dossiers().await;
    dossiers.iter().map(|dossier| dossier["processes"].as_array().unwrap().len()).collect()
}

#[tokio::test]
async fn a_repeat_gives_the_same_verification_and_a_next_action_that_is_still_valid() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let first = when.creates_once("order 778 / 1", json!({})).await;
    assert!(!is_replayed(&first));
    let location = first.header("location").unwrap().to_owned();
    let v = crate::harness::Verification::of(first);

    let repeat = when.creates_once("order 778 / 1", json!({})).await;
    assert!(is_replayed(&repeat));
    assert_eq!(repeat.header("location"), Some(location.as_str()));
    let repeated = repeat.is(200);
    assert_eq!(repeated["id"], v.id.as_str());
    let url = repeated["next_action"]["upload_urls"]["front"].as_str().unwrap();
    stage.caller.http.put(url).body(jpeg("front")).ask().await.says_nothing(204);

    // Neither order nor white space nor nulls are meaning.
    let body = r#"{ "tags" : ["web"],"reference":"order-778", "user_data": null,
        "document":{"country":"NOR","type":"passport"},
        "process_type":"documentSelfie","provider":"onfido","flow":"document" }"#;
    let request = stage.caller.post("/v1/verifications").header("idempotency-key", "order 778 / 1");
    let reordered = request.body(body).ask().await;
    assert!(is_replayed(&reordered));
    let reordered = reordered.is(200);
    assert_eq!(reordered["id"], v.id.as_str());
    assert_eq!(reordered["images"], json!(["front"]));

    assert_eq!(in_use(&stage).await, [1]);
    when.cancels(&v).await.is(202);
    then.ends_as(&v, "canceled", "canceled-by-caller").await;
    let after = when.creates_once("order 778 / 1", json!({})).await;
    assert!(is_replayed(&after));
    assert_eq!(after.is(200)["status"], "finished");
}

#[tokio::test]
async fn a_key_means_one_request_of_one_tenant() {
    let stage = Stage::start().await;
    let (_, when, _) = stage.acts();
    let first = when.creates_once("k", json!({})).await.is(201);

    for other in [json!({ "reference": "order-779" }), json!({ "tags": ["web", "web"] })] {
        when.creates_once("k", other).await.problem(422, "idempotency-key-reused");
    }
    let request = stage.stranger.post("/v1/verifications").header("idempotency-key", "k");
    let theirs = request.json(&order(&json!({ "reference": "theirs" }))).ask().await.is(201);
    assert_ne!(theirs["id"], first["id"]);
    let another = when.creates_once("K", json!({})).await.is(201);
    assert_ne!(another["id"], first["id"]);
}

#[tokio::test]
async fn a_key_out_of_its_limits_is_malformed() {
    let stage = Stage::start().await;
    let (_, when, _) = stage.acts();

    for key in ["", &"k".repeat(256), "naïve", "tab\tbed"] {
        when.creates_once(key, json!({})).await.problem(400, "malformed");
    }
    when.creates_once(&"k".repeat(255), json!({})).await.is(201);
    when.creates_once("~", json!({})).await.is(201);
}

#[tokio::test]
async fn of_several_at_once_one_does_the_work() {
    let stage = Stage::start().await;
    let (_, when, _) = stage.acts();
    when.simulator.goes_wrong("createProcess", json!({ "slow": { "ms": 200 } }), json!({})).await;

    let answers = join_all((0..5).map(|_| when.creates_once("k", json!({})))).await;

    let mut ids: Vec<Value> = Vec::new();
    for answer in &answers {
        match answer.status {
            409 => {
                answer.come_again(409, "in-progress");
            }
            200 => assert!(is_replayed(answer)),
            status => assert_eq!(status, 201, "{}", answer.body),
        }
        ids.extend(answer.body.get("id").cloned());
    }
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(in_use(&stage).await, [1]);
}

#[tokio::test]
async fn whatever_broke_off_the_same_key_completes_it_with_one_dossier_and_process() {
    let unavailable = || json!({ "status": { "code": 503 } });
    let lost_answer = || json!({ "carriedOut": true });
    let cases = [
        ("createDossier", unavailable(), json!({})),
        ("createDossier", json!("reset"), lost_answer()),
        ("setUserData", unavailable(), json!({})),
        ("setUserData", json!("cutOff"), lost_answer()),
        ("createProcess", unavailable(), json!({})),
        ("createProcess", json!("garbage"), lost_answer()),
    ];
    for (operation, kind, more) in cases {
        let case = format!("{operation} {kind} {more}");
        let stage = Stage::start().await;
        let (_, when, then) = stage.acts();
        let members = json!({ "user_data": { "firstName": "INGA" }, "tags": ["web"] });
        when.simulator.goes_wrong(operation, kind, more).await;

        let broken = when.creates_once("k", members.clone()).await;
        broken.come_again(503, "assure-unavailable");
        assert!(then.ends().await.is_empty(), "{case}: somebody may come back to it");
        when.simulator.recovers().await;
        let completed = when.creates_once("k", members.clone()).await;
        let completed = crate::harness::Verification::of(completed);

        assert_eq!(in_use(&stage).await, [1], "{case}");
        assert!(then.simulator.dossiers().await[0]["hasUserData"] == true, "{case}");
        assert!(is_replayed(&when.creates_once("k", members).await), "{case}");
        when.simulator.finishes(&completed, "accepted").await;
        then.ends_as(&completed, "accepted", "").await;
        assert_eq!(then.ends().await.len(), 1, "{case}");
    }
}
