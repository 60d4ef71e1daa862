//! A tenant with an Assure account of its own.

use std::fs;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    Ask, Caller, PATIENCE, Scene, Simulator, Stage, Verification, ends_in, eventually, jpeg, order,
    program,
};

/// Both tenants, each with its caller and the Assure that its verifications belong to; whose turn
/// it is comes first.
fn both(stage: &Stage) -> [(&Caller, &Simulator, &Simulator); 2] {
    let (common, own) = (&stage.simulator, stage.their_simulator.as_ref().unwrap());
    [(&stage.caller, common, own), (&stage.stranger, own, common)]
}

async fn created(caller: &Caller, members: Value) -> Verification {
    let request = caller.post("/v1/verifications").json(&order(&members));
    Verification::of(request.ask().await)
}

async fn submitted(caller: &Caller, members: Value) -> Verification {
    let v = created(caller, members).await;
    for depiction in ["front", "selfie"] {
        caller.put_image(&v.id, depiction).body(jpeg(depiction)).ask().await.says_nothing(204);
    }
    caller.post(&format!("/v1/verifications/{}/submit", v.id)).ask().await.is(202);
    v
}

async fn ends_as(caller: &Caller, v: &Verification, outcome: &str) {
    let request = caller.look_at(&v.id).header("prefer", "wait=15");
    let seen = request.ask().await.is(200);
    assert_eq!(seen["outcome"], outcome, "{seen}");
}

/// What this Assure has of a verification, and was asked about it. An attempt that went to the
/// wrong account would show in its calls, whatever became of it.
async fn knows(simulator: &Simulator, v: &Verification) -> bool {
    let is_there = simulator.dossiers().await.iter().any(|d| d["externalReference"] == *v.id);
    is_there || !simulator.calls_about(v).await.is_empty()
}

#[tokio::test]
async fn its_verifications_go_to_that_account_alone_and_all_others_to_the_common_one() {
    let stage = Scene::new().with_an_account_of_its_own().start().await;

    let members = json!({ "user_data": { "firstName": "Inga" } });
    let all = join_all(both(&stage).map(async |(caller, own, others)| {
        let v = submitted(caller, members.clone()).await;
        ends_as(caller, &v, "accepted").await;
        (v, own, others)
    }))
    .await;

    for (v, own, others) in &all {
        let dossiers = own.dossiers().await;
        assert_eq!(dossiers.len(), 1, "{dossiers:?}");
        assert_eq!(dossiers[0]["externalReference"], *v.id);
        assert_eq!(dossiers[0]["hasUserData"], true);
        assert_eq!(own.process_of(v).await["status"], "accepted");
        for operation in ["setUserData", "createProcess", "setImages", "startVerification"] {
            assert!(own.calls_about(v).await.contains(&operation.to_owned()), "{operation}");
        }
        assert!(own.calls_of("getProcess", v).await > 0);
        assert!(!knows(others, v).await);
    }
    for simulator in [&stage.simulator, stage.their_simulator.as_ref().unwrap()] {
        assert_eq!(
            simulator.refusals().await,
            [""; 0],
            "no credentials were shown to the wrong one"
        );
    }
}

#[tokio::test]
async fn each_account_is_asked_for_what_is_overdue_there() {
    let verifier = "proofline-verifier";
    let scene = Scene::new().with_an_account_of_its_own();
    let scene = scene.with(verifier, "PROOFLINE_CALLBACK_GRACE", "1s");
    let stage = scene.with(verifier, "PROOFLINE_RECONCILE_INTERVAL", "1s").start().await;
    let lost = json!({ "tags": ["simulate:callback-lost"] });

    // In one round there may be some of both: each list tells of its own account alone.
    let [(ours, common, _), (theirs, own, _)] = both(&stage);
    let v = submitted(theirs, lost.clone()).await;
    ends_as(theirs, &v, "accepted").await;
    assert_eq!(common.count_of("listProcesses").await, 0, "nothing is overdue there");
    let open = json!({ "tags": ["simulate:never-finishes"] });
    let (open, v, theirs_lost) = tokio::join!(
        submitted(theirs, open),
        submitted(ours, lost.clone()),
        submitted(theirs, lost.clone()),
    );
    tokio::join!(ends_as(ours, &v, "accepted"), ends_as(theirs, &theirs_lost, "accepted"));

    assert!(common.count_of("listProcesses").await > 0);
    let seen = theirs.look_at(&open.id).ask().await.is(200);
    assert_eq!(seen["status"], "verifying", "open there, and unknown to the other account");
    assert_eq!(own.calls_of("getProcess", &open).await, 0);
    let ends = ends_in(&stage.nats).await;
    assert_eq!(ends.len(), 3);
    for end in ends {
        assert_eq!(end.event.signal_source().as_str_name(), "SIGNAL_SOURCE_RECONCILIATION");
    }
}

#[tokio::test]
async fn what_is_deleted_is_deleted_in_its_own_account() {
    let stage = Scene::new().with_an_account_of_its_own().start().await;

    for (caller, own, others) in both(&stage) {
        let canceled = created(caller, json!({})).await;
        let finished = submitted(caller, json!({})).await;
        ends_as(caller, &finished, "accepted").await;

        caller.post(&format!("/v1/verifications/{}/cancel", canceled.id)).ask().await.is(202);
        own.forgets(&canceled).await;
        let path = format!("/v1/verifications/{}", finished.id);
        caller.api(Method::DELETE, &path).ask().await.is(202);
        own.forgets(&finished).await;
        eventually("the dossier is gone", async || {
            let dossiers = own.dossiers().await;
            let is_left = dossiers.iter().any(|d| d["externalReference"] == *finished.id);
            if is_left { Err(format!("{dossiers:?}")) } else { Ok(()) }
        })
        .await;

        for v in [&canceled, &finished] {
            assert!(!knows(others, v).await);
        }
        // What a refused creation has left goes, too.
        let misspelt = json!({ "tags": ["simulate:acepted"] });
        let request = caller.post("/v1/verifications").json(&order(&misspelt));
        request.ask().await.problem(422, "assure-refused");
        eventually("only the dossier of the canceled one is left", async || {
            let left = own.dossiers().await;
            if left.len() == 1 { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
        assert_eq!(own.dossiers().await[0]["externalReference"], *canceled.id);
    }
}

#[tokio::test]
async fn an_account_that_wants_to_be_left_alone_does_not_hold_the_other() {
    let stage = Scene::new().with_an_account_of_its_own().start().await;
    let limited =
        |seconds: u64| json!({ "status": { "code": 429, "retryAfter": { "seconds": seconds } } });
    let create = async |caller: &Caller| {
        caller.post("/v1/verifications").json(&order(&json!({}))).ask().await
    };
    let [(ours, common, _), (theirs, own, _)] = both(&stage);

    own.goes_wrong("createDossier", limited(1), json!({ "when": { "next": 1 } })).await;
    create(theirs).await.come_again(503, "assure-unavailable");
    let v = submitted(ours, json!({})).await;
    ends_as(ours, &v, "accepted").await;
    eventually("the account may be asked again", async || {
        let answer = create(theirs).await;
        if answer.status == 201 { Ok(()) } else { Err(answer.body.to_string()) }
    })
    .await;

    common.goes_wrong("createDossier", limited(30), json!({})).await;
    create(ours).await.come_again(503, "assure-unavailable");
    common.recovers().await;
    assert!(create(ours).await.come_again(503, "assure-unavailable") > 20);
    let v = submitted(theirs, json!({})).await;
    ends_as(theirs, &v, "accepted").await;
}

#[tokio::test]
async fn its_secret_must_be_readable_where_assure_is_called_and_is_not_read_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenants.toml");
    let tenants = "[tenants.acme]\napi_key_sha256 = []\n[tenants.acme.assure]\n\
        base_url = 'http://127.0.0.1:9'\ntoken_url = 'http://127.0.0.1:9'\n\
        client_id = 'x'\nclient_secret_file = '/nowhere/secret'\n";
    fs::write(&file, tenants).unwrap();

    for (service, calls_assure) in [
        ("proofline-intake", true),
        ("proofline-upload", true),
        ("proofline-verifier", true),
        ("proofline-result-normaliser", true),
        ("proofline-callback-receiver", false),
    ] {
        let mut command = program(service);
        command.env("PROOFLINE_TENANTS_FILE", &file).env("PROOFLINE_LOG", "a=b=c=d");
        let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();

        let complained = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{complained}");
        let fault = "\n  PROOFLINE_TENANTS_FILE: tenants.acme.assure.client_secret_file: ";
        assert_eq!(complained.contains(fault), calls_assure, "{service}: {complained}");
        assert!(complained.contains("\n  PROOFLINE_LOG: "), "{complained}");
    }
}
