//! The capture flow: a page of Assure's makes the process, perhaps more than one.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    end_user::EndUser,
    id_of, is_looked_into, looks_into_dossier,
    orders::{capture, eid},
    processes_of,
};
use crate::harness::{Ask, EVENTS_SECRET, Scene, Stage, Verification, eventually};

/// Makes and ends another process in the dossier of a verification, as its page might.
async fn another_process(stage: &Stage, v: &Verification, status: &str) -> String {
    let body = json!({ "provider": "onfido", "processType": "documentSelfie" });
    let path = format!("/dossiers/{}/processes", v.dossier_id);
    let created = stage.simulator.asked_directly(Method::POST, &path, body).await.is(201);
    let process_id = id_of(&created).to_owned();
    let process = Verification { process_id: process_id.clone(), ..v.clone() };
    stage.simulator.finishes(&process, status).await;
    process_id
}

async fn is_there(stage: &Stage, v: &Verification, at: usize, status: &str) -> Verification {
    eventually(&format!("process {at} is {status}"), async || {
        let processes = processes_of(&stage.simulator, v).await;
        match processes.get(at) {
            Some(process) if process["status"] == status => {
                Ok(Verification { process_id: id_of(process).to_owned(), ..v.clone() })
            }
            seen => Err(format!("{seen:?}")),
        }
    })
    .await
}

/// What must be so of one that its end-user completed, with this process.
async fn ends_with(stage: &Stage, v: &Verification, process_id: &str, outcome: &str) {
    let (_, _, then) = stage.acts();
    let seen = then.finishes(v).await;
    assert_eq!(seen["outcome"], outcome, "{seen}");
    assert_eq!(seen["process_id"], process_id, "{seen}");
    assert_eq!(seen["next_action"], Value::Null);
    let mut ends = then.ends().await;
    ends.retain(|end| end.event.verification_id == v.id);
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0].event.process_id, process_id);
    assert_eq!(ends[0].event.dossier_id, v.dossier_id);
    let result = then.result(v).await;
    assert_eq!(result["process"]["processId"], process_id, "{result}");
    assert_eq!(result["final_result"].is_object(), outcome == "accepted", "{result}");
}

#[tokio::test]
async fn a_page_that_is_opened_several_times_makes_one_process_and_one_end() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let v = given.a_verification(capture(&json!({}))).await;
    assert_eq!(
        (&v.created["status"], &v.created["process_id"]),
        (&json!("awaiting_end_user"), &Value::Null)
    );
    when.submits(&v).await.problem(409, "nothing-to-submit");
    for _ in 0..3 {
        end_user.opens(&v).await;
    }

    end_user.goes_through(&v, "accepted").await;

    let processes = processes_of(&then.simulator, &v).await;
    assert_eq!(processes.len(), 1, "{processes:?}");
    ends_with(&stage, &v, id_of(&processes[0]), "accepted").await;
    // Whoever comes back once more changes nothing, and goes on all the same.
    let used = end_user.goes_to(super::page_of(&v)).await;
    assert_eq!(used.status, 410);
}

#[tokio::test]
async fn there_is_no_end_while_a_process_is_open_and_the_last_one_counts() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let v = given.a_verification(capture(&json!({}))).await;
    end_user.opens(&v).await;
    // Each time the callback of the one that is canceled makes us look, and find an open one.
    for round in 0..2 {
        let looks = looks_into_dossier(&then.simulator, &v).await;
        end_user.chooses(&v, "again").await;
        let first = is_there(&stage, &v, round, "canceled").await;
        let open = is_there(&stage, &v, round + 1, "pending").await;
        is_looked_into(&then.simulator, &v, looks).await;
        for seen in [&first, &open] {
            assert_eq!(then.simulator.calls_of("getProcess", seen).await, 0, "none can be an end");
        }
        assert_eq!(then.shows(&v).await["status"], "awaiting_end_user");
        assert!(then.ends().await.is_empty());
    }

    end_user.goes_through(&v, "rejected").await;

    let processes = processes_of(&then.simulator, &v).await;
    assert_eq!(processes.len(), 3, "{processes:?}");
    ends_with(&stage, &v, id_of(&processes[2]), "rejected").await;
}

#[tokio::test]
async fn of_several_processes_the_newest_accepted_counts() {
    let stage = Stage::start().await;
    let (given, _, _) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let lost = json!({ "tags": ["simulate:callback-lost"] });
    let v = given.a_verification(capture(&lost)).await;
    let back = end_user.is_sent_back(&v, "accepted").await;
    is_there(&stage, &v, 0, "accepted").await;
    let newest_accepted = another_process(&stage, &v, "accepted").await;
    another_process(&stage, &v, "rejected").await;
    another_process(&stage, &v, "failed").await;

    assert_eq!(end_user.goes_to(&back).await.status, 303);

    ends_with(&stage, &v, &newest_accepted, "accepted").await;
}

#[tokio::test]
async fn of_several_none_of_which_is_accepted_the_newest_counts() {
    let stage = Stage::start().await;
    let (given, _, _) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let lost = json!({ "tags": ["simulate:callback-lost"] });
    let v = given.a_verification(capture(&lost)).await;
    let back = end_user.is_sent_back(&v, "rejected").await;
    is_there(&stage, &v, 0, "rejected").await;
    let newest = another_process(&stage, &v, "inconclusive").await;

    assert_eq!(end_user.goes_to(&back).await.status, 303);

    ends_with(&stage, &v, &newest, "inconclusive").await;
}

#[tokio::test]
async fn who_never_comes_or_only_opens_the_page_has_never_submitted() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let short = |tags: Value| json!({ "expires_in_seconds": 2, "tags": tags });
    let never = given.a_verification(capture(&short(json!([])))).await;
    let left = given.a_verification(capture(&short(json!([])))).await;
    end_user.opens(&left).await;
    let ready = short(json!(["simulate:process-at-start"]));
    let ready = given.a_verification(capture(&ready)).await;
    let never_in = given.a_verification(eid(&short(json!([])))).await;

    for (v, assure_status) in
        [(&never, ""), (&left, "pending"), (&ready, "pending"), (&never_in, "pending")]
    {
        let seen = then.ends_as(v, "expired", "never-submitted").await;
        let ends = then.ends().await;
        let end = ends.iter().find(|end| end.event.verification_id == v.id).unwrap();
        assert_eq!(end.event.assure_status, assure_status);
        let process = processes_of(&then.simulator, v).await.pop().unwrap_or_default();
        assert_eq!(seen["process_id"], process["processId"], "{seen}");
        let result = then.result(v).await;
        assert_eq!(result["outcome"], "expired");
    }
}

#[tokio::test]
async fn a_process_that_is_there_from_the_start_is_found_whether_or_not_it_is_told() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    for tag in ["simulate:process-at-start", "simulate:tells-process-id"] {
        let v = given.a_verification(capture(&json!({ "tags": [tag] }))).await;
        let process = processes_of(&then.simulator, &v).await.pop().unwrap();

        end_user.goes_through(&v, "accepted").await;

        ends_with(&stage, &v, id_of(&process), "accepted").await;
        // And started anew, where only the first was told.
        let v = given.a_verification(capture(&json!({ "tags": [tag] }))).await;
        end_user.opens(&v).await;
        end_user.chooses(&v, "again").await;
        end_user.goes_through(&v, "accepted").await;
        let processes = processes_of(&then.simulator, &v).await;
        assert_eq!(processes.len(), 2, "{processes:?}");
        ends_with(&stage, &v, id_of(&processes[1]), "accepted").await;
    }
}

#[tokio::test]
async fn by_webhook_alone_a_capture_and_an_eid_end_too() {
    let scene =
        Scene::new().with_webhooks().with("proofline-intake", "ASSURE_COMPLETION", "events");
    let stage = scene.start().await;
    let (given, _, then) = stage.acts();
    let receiver = &stage.process("proofline-callback-receiver").url;
    let subscription = json!({ "url": format!("{receiver}/events/acme"), "secret": EVENTS_SECRET });
    let url = format!("{}/simulator/webhooks", stage.simulator.url);
    let answer = stage.caller.http.post(url).json(&subscription).ask().await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let end_user = EndUser::new(&stage.caller.http);
    for order in [capture(&json!({})), eid(&json!({}))] {
        let v = given.a_verification(order).await;

        // The end-user closes the browser before coming back.
        end_user.is_sent_back(&v, "accepted").await;

        then.ends_as(&v, "accepted", "").await;
        let process = processes_of(&then.simulator, &v).await.pop().unwrap();
        assert_eq!(process["wantsCallback"], false, "{process}");
        let ends = then.ends().await;
        let end = ends.iter().find(|end| end.event.verification_id == v.id).unwrap();
        assert_eq!(end.event.signal_source().as_str_name(), "SIGNAL_SOURCE_WEBHOOK");
        assert_eq!(end.event.process_id, id_of(&process));
    }
}
