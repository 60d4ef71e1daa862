use std::time::Duration;

use assure_simulator::Settings;
use reqwest::Method;
use serde_json::{Value, json};
use time::PrimitiveDateTime;
use time::macros::format_description;
use tokio::time::Instant;

use crate::harness::{Answer, JPEG, Simulator, VALID_FORM, data_url, document, quick};

#[tokio::test]
async fn a_status_fault_answers_with_retry_after_in_both_forms() {
    let simulator = Simulator::start().await;

    let kind = json!({"status": {"code": 429, "retryAfter": {"seconds": 5}}});
    add(&simulator, json!({"operation": "getDossier", "kind": kind, "when": {"next": 1}})).await;
    let limited = simulator.get("/assure/dossiers/any").await;
    assert_eq!(limited.headers["retry-after"], "5");
    let body = limited.is(429);
    assert_eq!(body["type"], "base:client-problem");
    assert_eq!(body["instance"], "/assure/dossiers/any");

    let kind = json!({"status": {"code": 503, "retryAfter": {"dateIn": 90}, "body": "html"}});
    add(&simulator, json!({"operation": "*", "kind": kind, "when": {"next": 1}})).await;
    let away = simulator.get("/assure/dossiers/any").await;
    assert_eq!(away.status, 503);
    assert_eq!(away.headers["content-type"], "text/html; charset=utf-8");
    let seconds_ahead =
        (http_date(&away, "retry-after") - http_date(&away, "date")).whole_seconds();
    assert!((88..=91).contains(&seconds_ahead), "{seconds_ahead}");

    simulator.get("/assure/dossiers/any").await.is(404);
}

#[tokio::test]
async fn error_bodies_have_the_shape_that_was_asked_for() {
    let simulator = Simulator::start().await;

    let platform = json!({"status": {"code": 401, "body": "platform"}});
    add(&simulator, json!({"operation": "*", "kind": platform, "when": {"next": 1}})).await;
    let empty = json!({"status": {"code": 502, "body": "empty"}});
    add(&simulator, json!({"operation": "*", "kind": empty, "when": {"next": 1}})).await;

    let refused = simulator.get("/assure/dossiers").await.is(401);
    assert_eq!(refused["code"], "invalid_token");
    assert!(refused.get("instance").is_none());
    assert_eq!(simulator.get("/assure/dossiers").await.is(502), Value::Null);
}

#[tokio::test]
async fn the_token_endpoint_can_fail_too() {
    let simulator = Simulator::start().await;
    let kind = json!({"status": {"code": 500}});
    add(&simulator, json!({"operation": "token", "kind": kind})).await;

    simulator.ask_token("simulator", "simulator-secret", VALID_FORM).await.is(500);
    simulator.get("/assure/dossiers").await.is(200);
    simulator.delete("/simulator/faults").await.is(204);
    simulator.ask_token("simulator", "simulator-secret", VALID_FORM).await.is(200);
}

#[tokio::test]
async fn a_reset_call_has_no_answer_and_no_effect_unless_told() {
    let simulator = Simulator::start().await;

    for (carried_out, dossiers) in [(false, 0), (true, 1)] {
        let fault = json!({
            "operation": "createDossier", "kind": "reset", "carriedOut": carried_out,
            "when": {"next": 1},
        });
        add(&simulator, fault).await;
        let call = simulator.request(Method::POST, "/assure/dossiers").json(&json!({}));
        let error = call.send().await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
        let listed = simulator.get("/assure/dossiers").await.is(200);
        assert_eq!(listed.as_array().unwrap().len(), dossiers);
    }
    simulator.dossier().await;
    let calls = simulator.get("/simulator/calls").await.is(200);
    let reset = calls["calls"].as_array().unwrap().iter();
    let reset: Vec<_> = reset.filter(|c| c["fault"] == "reset").collect();
    assert_eq!(reset.len(), 2);
    assert!(reset.iter().all(|c| c["status"] == Value::Null));
}

#[tokio::test]
async fn a_cut_off_answer_ends_in_the_middle_after_the_call_had_its_effect() {
    let simulator = Simulator::start().await;
    let fault = json!({"operation": "createDossier", "kind": "cutOff", "when": {"next": 1}});
    add(&simulator, fault).await;

    let call = simulator.request(Method::POST, "/assure/dossiers").json(&json!({}));
    let response = call.send().await.unwrap();
    assert_eq!(response.status(), 201);
    assert!(response.content_length().unwrap() > 10);
    response.bytes().await.unwrap_err();

    let listed = simulator.get("/assure/dossiers").await.is(200);
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn garbage_is_a_success_that_is_no_json() {
    let simulator = Simulator::start().await;
    let fault = json!({"operation": "listDossiers", "kind": "garbage", "when": {"next": 1}});
    add(&simulator, fault).await;

    let call = simulator.request(Method::GET, "/assure/dossiers").send().await.unwrap();
    assert_eq!(call.status(), 200);
    assert_eq!(call.headers()["content-type"], "application/json");
    let bytes = call.bytes().await.unwrap();
    assert!(serde_json::from_slice::<Value>(&bytes).is_err());

    simulator.get("/assure/dossiers").await.is(200);
}

#[tokio::test]
async fn a_slow_call_is_answered_truly_but_late() {
    let simulator = Simulator::start().await;
    for carried_out in [false, true] {
        let fault = json!({
            "operation": "listDossiers", "kind": {"slow": {"ms": 200}},
            "carriedOut": carried_out, "when": {"next": 1},
        });
        add(&simulator, fault).await;
        let begun = Instant::now();
        simulator.get("/assure/dossiers").await.is(200);
        assert!(begun.elapsed() >= Duration::from_millis(200));
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_on_a_slow_answer_may_have_had_its_effect() {
    let simulator = Simulator::start().await;
    let fault = json!({
        "operation": "createDossier", "kind": {"slow": {"ms": 3_600_000}}, "carriedOut": true,
    });
    add(&simulator, fault).await;

    let call = simulator.request(Method::POST, "/assure/dossiers").json(&json!({}));
    let error = call.timeout(Duration::from_millis(300)).send().await.unwrap_err();

    assert!(error.is_timeout());
    let listed = simulator.get("/assure/dossiers").await.is(200);
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_fault_can_be_for_one_process() {
    let simulator = Simulator::start().await;
    let hit = simulator.process(document(json!({}))).await;
    let spared = simulator.process(document(json!({}))).await;
    let kind = json!({"status": {"code": 500}});
    add(&simulator, json!({"operation": "*", "processId": hit.id, "kind": kind})).await;

    simulator.get(&hit.path()).await.is(500);
    simulator.get(&spared.path()).await.is(200);
}

#[tokio::test]
async fn the_seed_decides_which_calls_are_hit() {
    let fault = json!({
        "operation": "listDossiers", "kind": {"status": {"code": 500}},
        "when": {"probability": 0.5},
    });
    let mut runs = Vec::new();
    for seed in [11, 11, 12] {
        let simulator = Simulator::start_with(Settings { seed, ..quick() }).await;
        add(&simulator, fault.clone()).await;
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(simulator.get("/assure/dossiers").await.status);
        }
        runs.push(statuses);
    }

    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn a_large_upload_that_meets_a_fault_gets_to_read_the_answer() {
    let simulator = Simulator::start().await;
    let process = simulator.process(document(json!({}))).await;
    let kind = json!({"status": {"code": 503}});
    add(&simulator, json!({"operation": "setImages", "kind": kind})).await;

    let image = data_url(&[JPEG, &[0; 6_000_000]].concat());
    simulator.post(&process.images(), json!({"front": image})).await.is(503);
}

#[tokio::test]
async fn faults_are_listed_and_nonsense_is_refused() {
    let simulator = Simulator::start().await;
    add(&simulator, json!({"operation": "listDossiers", "kind": "reset", "when": {"next": 0}}))
        .await;

    let listed = simulator.get("/simulator/faults").await.is(200);
    assert_eq!(listed["faults"][0]["operation"], "listDossiers");
    assert_eq!(listed["faults"][0]["fired"], 0);
    for fault in [
        json!({"operation": "getProces", "kind": "reset"}),
        json!({"operation": "*", "kind": "explode"}),
        json!({"operation": "*", "kind": {"status": {"code": 204}}}),
        json!({"operation": "*", "kind": "reset", "often": true}),
    ] {
        simulator.post("/simulator/faults", fault).await.is(400);
    }
}

#[tokio::test]
async fn calls_are_listed_in_order_and_counted() {
    let simulator = Simulator::start().await;
    simulator.delete("/simulator/calls").await.is(204);

    let process = simulator.started(json!({})).await;
    simulator.get("/assure/dossiers/nobody").await.is(404);

    let log = simulator.get("/simulator/calls").await.is(200);
    let calls = log["calls"].as_array().unwrap();
    let names: Vec<_> = calls.iter().map(|c| c["operation"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["createDossier", "createProcess", "setImages", "startVerification", "getDossier"]
    );
    let statuses: Vec<_> = calls.iter().map(|c| c["status"].clone()).collect();
    assert_eq!(statuses, [201, 201, 201, 200, 404]);
    assert_eq!(calls[3]["path"], process.path());
    assert!(calls.windows(2).all(|w| w[0]["atMs"].as_u64() <= w[1]["atMs"].as_u64()));
    assert_eq!(log["counts"]["createDossier"], 1);
}

async fn add(simulator: &Simulator, fault: Value) {
    let answer: Answer = simulator.post("/simulator/faults", fault).await;
    assert!(answer.is(201)["id"].is_number());
}

fn http_date(answer: &Answer, header: &str) -> PrimitiveDateTime {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    PrimitiveDateTime::parse(answer.headers[header].to_str().unwrap(), format).unwrap()
}
