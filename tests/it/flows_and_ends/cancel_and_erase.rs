//! Discarding and erasing in every flow, wherever its end-user is.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    end_user::EndUser,
    orders::{app, capture, eid, enrolment, page, sdk},
    processes_of,
    shared_dossier_erased::is_erased,
};
use crate::harness::{Ask, Stage, Verification, eventually};

/// How far an end-user has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    Not,
    /// The page is open.
    Open,
    /// They have begun anew, so that there are two processes.
    Again,
}

fn every_flow() -> [(&'static str, Value, Visit); 9] {
    [
        ("upload", json!({}), Visit::Not),
        ("sdk", sdk(&json!({})), Visit::Not),
        ("app", app(&json!({})), Visit::Not),
        ("enrolment", enrolment(&json!({})), Visit::Not),
        ("page", page(&json!({})), Visit::Open),
        ("eid", eid(&json!({})), Visit::Open),
        ("capture", capture(&json!({})), Visit::Not),
        ("capture", capture(&json!({})), Visit::Open),
        ("capture", capture(&json!({})), Visit::Again),
    ]
}

async fn begun(stage: &Stage, order: Value, visit: Visit) -> Verification {
    let end_user = EndUser::new(&stage.caller.http);
    let v = stage.acts().0.a_verification(order).await;
    assert_ne!(v.created["next_action"], Value::Null);
    if visit != Visit::Not {
        end_user.opens(&v).await;
    }
    if visit == Visit::Again {
        end_user.chooses(&v, "again").await;
    }
    v
}

async fn assert_one_end(stage: &Stage, v: &Verification) {
    let mut ends = stage.acts().2.ends().await;
    ends.retain(|end| end.event.verification_id == v.id);
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0].event.reason_code, "canceled-by-caller");
}

async fn nothing_is_in_the_dossier(stage: &Stage, what: &str, v: &Verification) {
    eventually(&format!("no process of it is left: {what}"), async || {
        let processes = processes_of(&stage.simulator, v).await;
        if processes.is_empty() { Ok(()) } else { Err(format!("{processes:?}")) }
    })
    .await;
}

#[tokio::test]
async fn whatever_flow_is_discarded_ends_as_canceled_and_leaves_no_process() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    for (what, order, visit) in every_flow() {
        let v = begun(&stage, order, visit).await;

        let answer = when.cancels(&v).await.is(202);

        assert_ne!(answer["next_action"]["type"], "redirect", "{what}");
        let seen = then.ends_as(&v, "canceled", "canceled-by-caller").await;
        assert_eq!(seen["next_action"], Value::Null, "{what}");
        nothing_is_in_the_dossier(&stage, what, &v).await;
        when.cancels(&v).await.is(202);
        assert_eq!(when.submits(&v).await.status, 409, "{what}");
        let result = then.result(&v).await;
        assert_eq!((&result["final_result"], &result["user_info"]), (&Value::Null, &Value::Null));
        assert_one_end(&stage, &v).await;
        assert_eq!(then.simulator.dossiers().await.len(), 1, "{what}");
        is_erased(&stage, &v).await;
        assert_eq!(then.simulator.dossiers().await, Vec::<Value>::new(), "{what}");
    }
}

#[tokio::test]
async fn whatever_flow_is_erased_is_discarded_first_and_leaves_nothing() {
    let stage = Stage::start().await;
    let (_, _, then) = stage.acts();
    for (what, order, visit) in every_flow() {
        let v = begun(&stage, order, visit).await;

        is_erased(&stage, &v).await;

        let seen = then.shows(&v).await;
        assert_eq!((&seen["outcome"], &seen["next_action"]), (&json!("canceled"), &Value::Null));
        assert_eq!(then.simulator.dossiers().await, Vec::<Value>::new(), "{what}");
        assert_one_end(&stage, &v).await;
        let repeated = stage.caller.api(Method::DELETE, &format!("/v1/verifications/{}", v.id));
        assert_eq!(repeated.ask().await.is(202)["status"], "erased");
        let events = then.timeline(&v).await;
        assert_eq!(events.last().unwrap()["type"], "proofline.v1.data-erased", "{what}");
    }
}

#[tokio::test]
async fn what_has_ended_in_any_flow_is_erased_here_and_there() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let mut all = Vec::new();
    for order in [capture(&json!({})), eid(&json!({})), page(&json!({}))] {
        let v = given.a_verification(order).await;
        end_user.goes_through(&v, "accepted").await;
        all.push(v);
    }
    for order in [sdk(&json!({})), app(&json!({}))] {
        let v = given.a_verification(order).await;
        when.submits(&v).await.is(202);
        all.push(v);
    }
    for v in &all {
        then.ends_as(v, "accepted", "").await;
        then.result(v).await;
        when.cancels(v).await.problem(409, "already-finished");

        is_erased(&stage, v).await;

        assert_eq!(then.shows(v).await["outcome"], "accepted");
    }
    assert_eq!(then.simulator.dossiers().await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_assure_will_not_delete_for_a_while_is_canceled_at_once_and_deleted_later() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let endless = json!({ "tags": ["simulate:never-finishes"] });
    let at_work = given.a_verification(capture(&endless)).await;
    end_user.goes_through(&at_work, "as-scripted").await;
    let refusing = json!({ "status": { "code": 409 } });
    let twice = json!({ "when": { "next": 2 } });
    when.simulator.goes_wrong("deleteProcess", refusing, twice).await;
    let eid = given.a_verification(eid(&json!({}))).await;

    when.cancels(&at_work).await.is(202);
    when.cancels(&eid).await.is(202);

    for v in [&at_work, &eid] {
        then.ends_as(v, "canceled", "canceled-by-caller").await;
    }
    nothing_is_in_the_dossier(&stage, "eid", &eid).await;
    then.simulator.count_reaches("deleteProcess", 4).await;
    let process = processes_of(&then.simulator, &at_work).await.remove(0);
    assert_eq!(process["status"], "processing");
    // The provider is done with it; what it found out changes nothing any more.
    let process_id = process["processId"].as_str().unwrap().to_owned();
    let found = Verification { process_id, ..at_work.clone() };
    then.simulator.finishes(&found, "accepted").await;
    nothing_is_in_the_dossier(&stage, "capture", &at_work).await;
    assert_eq!(then.shows(&at_work).await["outcome"], "canceled");
    assert_one_end(&stage, &at_work).await;

    // The same, erased.
    let v = given.a_verification(capture(&endless)).await;
    end_user.goes_through(&v, "as-scripted").await;
    let path = format!("/v1/verifications/{}", v.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    stage.caller.get(&format!("{path}/result")).ask().await.problem(410, "erased");
    then.is_told(&v, "process-finished", 1).await;
    assert!(then.told(&v, "data-erased").await.is_empty());
    let process = processes_of(&then.simulator, &v).await.remove(0);
    let process_id = process["processId"].as_str().unwrap().to_owned();
    then.simulator.finishes(&Verification { process_id, ..v.clone() }, "accepted").await;
    then.is_told(&v, "data-erased", 1).await;
    assert!(then.simulator.dossiers().await.iter().all(|d| d["dossierId"] != v.dossier_id));
    assert_one_end(&stage, &v).await;
}

#[tokio::test]
async fn what_assure_had_decided_before_stays_what_it_is() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let lost = json!({ "tags": ["simulate:callback-lost"] });
    for (order, is_erasure) in
        [(capture(&lost), false), (eid(&lost), false), (capture(&lost), true), (eid(&lost), true)]
    {
        let v = given.a_verification(order).await;
        end_user.is_sent_back(&v, "rejected").await;
        eventually("Assure has decided", async || {
            let process = processes_of(&then.simulator, &v).await.remove(0);
            if process["status"] == "rejected" { Ok(()) } else { Err(process.to_string()) }
        })
        .await;

        if is_erasure {
            is_erased(&stage, &v).await;
        } else {
            when.cancels(&v).await.is(202);
            then.ends_as(&v, "rejected", "").await;
            when.cancels(&v).await.problem(409, "already-finished");
            assert_eq!(then.result(&v).await["process"]["status"], "rejected");
        }

        let mut ends = then.ends().await;
        ends.retain(|end| end.event.verification_id == v.id);
        assert_eq!(ends.len(), 1, "{ends:?}");
        assert_eq!(ends[0].event.outcome().as_str_name(), "OUTCOME_REJECTED");
    }
}

#[tokio::test]
async fn what_a_discarded_captures_page_makes_later_does_not_stay_in_assure() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let v = given.a_verification(capture(&json!({}))).await;
    when.cancels(&v).await.is(202);
    then.ends_as(&v, "canceled", "canceled-by-caller").await;

    end_user.is_sent_back(&v, "accepted").await;
    // That they have been there is known from the callback, which comes after the verdict.
    eventually("the callback is heard", async || {
        let heard = then.told(&v, "completion-signalled").await;
        if heard.is_empty() { Err("nothing".to_owned()) } else { Ok(()) }
    })
    .await;

    nothing_is_in_the_dossier(&stage, "a late visit", &v).await;
    then.ends_as(&v, "canceled", "canceled-by-caller").await;
    assert_one_end(&stage, &v).await;
}
