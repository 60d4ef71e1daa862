//! `same_dossier_as`: another process in the dossier of an earlier verification.

use futures_util::{TryStreamExt, future::join_all};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    end_user::EndUser,
    id_of, is_looked_into, looks_into_dossier,
    orders::{capture, eid},
    processes_of,
};
use crate::{
    harness::{Ask, Stage, Verification, eventually, everything_in, order},
    resilience::harness::{Fleet, INTAKE, Plan, soon},
};

/// These members, in the dossier of an earlier verification.
pub(super) fn in_dossier_of(earlier: &Verification, mut members: Value) -> Value {
    members["same_dossier_as"] = json!(earlier.id);
    members
}

/// One that was refused, as a start.
pub(super) async fn a_rejected_verification(stage: &Stage) -> Verification {
    let (given, _, then) = stage.acts();
    let v = given.a_submitted_verification(json!({ "tags": ["simulate:rejected"] })).await;
    then.ends_as(&v, "rejected", "").await;
    v
}

async fn user_data_of(stage: &Stage, v: &Verification) -> Value {
    let path = format!("/dossiers/{}/userdata", v.dossier_id);
    let mut answer = stage.simulator.asked_directly(Method::GET, &path, Value::Null).await.is(200);
    answer["userData"].take()
}

#[tokio::test]
async fn each_flow_can_go_on_in_the_dossier_of_another_with_a_process_of_its_own() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let user = |name: &str| json!({ "user_data": { "firstName": name, "lastName": "Oppdiktet" } });
    let first = given.a_submitted_verification(user("Inga")).await;
    then.ends_as(&first, "accepted", "").await;
    assert_eq!(user_data_of(&stage, &first).await["firstName"], "Inga");

    let upload = given.a_submitted_verification(in_dossier_of(&first, user("Irma"))).await;
    assert_eq!(user_data_of(&stage, &first).await["firstName"], "Irma");
    then.ends_as(&upload, "accepted", "").await;

    // Any of those that share it names the dossier.
    let members = capture(&json!({ "user_data": { "firstName": "Ida" } }));
    let captured = given.a_verification(in_dossier_of(&upload, members)).await;
    assert_eq!(user_data_of(&stage, &first).await["firstName"], "Ida");
    assert_eq!(user_data_of(&stage, &first).await["lastName"], "Oppdiktet");
    // A look while its end-user is not there yet finds the others' processes, and takes none.
    end_user.opens(&captured).await;
    let open = id_of(&processes_of(&then.simulator, &captured).await[2]).to_owned();
    let open = Verification { process_id: open, ..captured.clone() };
    let looks = looks_into_dossier(&then.simulator, &captured).await;
    then.simulator.calls_back(&open, json!({ "status": "accepted" })).await;
    is_looked_into(&then.simulator, &captured, looks).await;
    assert_eq!(then.shows(&captured).await["status"], "awaiting_end_user");
    end_user.goes_through(&captured, "rejected").await;
    let seen = then.ends_as(&captured, "rejected", "").await;
    assert_eq!(seen["process_id"], open.process_id);

    let eid = given.a_verification(in_dossier_of(&first, eid(&json!({})))).await;
    end_user.goes_through(&eid, "accepted").await;
    then.ends_as(&eid, "accepted", "").await;

    for v in [&upload, &captured, &eid] {
        assert_eq!(v.dossier_id, first.dossier_id);
        assert_eq!(then.shows(v).await["dossier_id"], first.dossier_id);
    }
    assert_eq!(then.simulator.dossiers().await.len(), 1);
    let processes = processes_of(&then.simulator, &first).await;
    let ids: Vec<_> = processes.iter().map(id_of).collect();
    let own = [&first, &upload, &open, &eid].map(|v| v.process_id.as_str());
    assert_eq!(ids, own);
    // What was submitted in the end is what counts: a fifth, and everything so far is as it was.
    when.submits(&first).await.is(202);
    assert_eq!(then.ends().await.len(), 4);
}

#[tokio::test]
async fn a_capture_that_nobody_opened_does_not_end_with_what_was_there_before() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let before = given.a_verification(capture(&json!({}))).await;
    end_user.goes_through(&before, "accepted").await;
    then.ends_as(&before, "accepted", "").await;
    let members = capture(&json!({ "expires_in_seconds": 2 }));
    let v = given.a_verification(in_dossier_of(&before, members)).await;

    let seen = then.ends_as(&v, "expired", "never-submitted").await;

    assert_eq!(
        (&seen["dossier_id"], &seen["process_id"]),
        (&json!(before.dossier_id), &Value::Null)
    );
    let result = then.result(&v).await;
    assert_eq!((&result["process"], &result["final_result"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_dossier_is_in_use_while_its_newest_verification_is_unfinished() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let first = given.a_verification(json!({})).await;
    let refused = when.creates(in_dossier_of(&first, json!({}))).await;
    refused.problem(409, "dossier-in-use");
    when.cancels(&first).await.is(202);
    then.ends_as(&first, "canceled", "canceled-by-caller").await;

    let second = given.a_verification(in_dossier_of(&first, capture(&json!({})))).await;

    for earlier in [&first, &second] {
        for members in [json!({}), capture(&json!({})), eid(&json!({}))] {
            let refused = when.creates(in_dossier_of(earlier, members)).await;
            refused.problem(409, "dossier-in-use");
        }
        // Nothing of it is kept: the key is good for a later attempt.
        let refused = when.creates_once("later", in_dossier_of(earlier, json!({}))).await;
        refused.problem(409, "dossier-in-use");
    }
    assert_eq!(then.simulator.dossiers().await.len(), 1);
    let requests = everything_in(&stage.nats, "VERIFICATIONS").await;
    let is_request = |m: &&Vec<u8>| m.starts_with(b"proofline.v1.verification-requested.");
    assert_eq!(requests.iter().filter(is_request).count(), 2);
    when.cancels(&second).await.is(202);
    then.ends_as(&second, "canceled", "canceled-by-caller").await;
    let third = when.creates_once("later", in_dossier_of(&first, json!({}))).await;
    assert_eq!(third.is(201)["dossier_id"], first.dossier_id);
}

#[tokio::test]
async fn only_a_verification_of_ones_own_with_a_dossier_has_one_to_share() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let theirs = stage.stranger.post("/v1/verifications").json(&order(&json!({})));
    let theirs = Verification::of(theirs.ask().await);
    let path = format!("/v1/verifications/{}/cancel", theirs.id);
    stage.stranger.post(&path).ask().await.is(202);
    let erased = a_rejected_verification(&stage).await;
    let path = format!("/v1/verifications/{}", erased.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    let refusing = json!({ "status": { "code": 400 } });
    when.simulator.goes_wrong("createDossier", refusing, json!({ "when": { "next": 1 } })).await;
    when.creates(json!({})).await.problem(422, "assure-refused");
    let without = eventually("it has failed", async || {
        let ends = then.ends().await;
        let failed = ends.iter().find(|end| end.event.reason_code == "setup-refused");
        failed.map(|end| end.event.verification_id.clone()).ok_or_else(|| format!("{ends:?}"))
    })
    .await;
    let dossiers = then.simulator.dossiers().await.len();

    for (what, id) in [
        ("unknown", "vrf_00000000000000000000000000"),
        ("no id", "vrf_"),
        ("another tenant's", &theirs.id),
        ("erased", &erased.id),
        ("without a dossier", &without),
    ] {
        for members in [json!({}), eid(&json!({}))] {
            let mut members = members;
            members["same_dossier_as"] = json!(id);
            let refused = when.creates(members).await;
            assert_eq!(refused.pointers(), ["/same_dossier_as"], "{what}");
        }
    }
    assert!(then.simulator.dossiers().await.len() <= dossiers, "nothing was created");
    let no_text = when.creates(json!({ "same_dossier_as": 7, "reference": 8 })).await;
    assert_eq!(no_text.pointers(), ["/reference", "/same_dossier_as"]);
}

/// The verifications that were requested, and those that have an end.
async fn requested_and_ended(fleet: &Fleet) -> (usize, usize) {
    let all = everything_in(&fleet.nats, "VERIFICATIONS").await;
    let count = |event: &str| {
        let subject = format!("proofline.v1.{event}.");
        all.iter().filter(|message| message.starts_with(subject.as_bytes())).count()
    };
    (count("verification-requested"), count("process-finished"))
}

#[tokio::test]
async fn of_several_that_want_a_dossier_at_once_one_gets_it_and_the_others_leave_it_alone() {
    let fleet = Plan::new().replicas(INTAKE, 2).start().await;
    let first = fleet.caller().post("/v1/verifications").json(&order(&json!({})));
    let mut earlier = Verification::of(first.ask().await);
    let mut kept = Vec::new();
    for round in 0..6 {
        let cancel = format!("/v1/verifications/{}/cancel", earlier.id);
        fleet.caller().post(&cancel).ask().await.is(202);
        soon("the one before is finished", async || {
            let ends = fleet.ends_of(&earlier.id).await;
            if ends.len() == 1 { Ok(()) } else { Err(format!("{ends:?}")) }
        })
        .await;
        let members = if round % 2 == 0 { json!({}) } else { eid(&json!({})) };
        let members = order(&in_dossier_of(&earlier, members));
        let several = (0..4).map(async |number| {
            let request = fleet.caller_of(number, 0).post("/v1/verifications").json(&members);
            // Half of them could come again.
            let key = format!("round {round} number {number}");
            let request = if number < 2 { request } else { request.header("idempotency-key", key) };
            request.ask().await
        });

        let answers = join_all(several).await;

        let (created, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|a| a.status == 201);
        assert_eq!(created.len(), 1, "{created:?} {refused:?}");
        refused.iter().for_each(|answer| drop(answer.problem(409, "dossier-in-use").clone()));
        for answer in created {
            let v = Verification::of(answer);
            assert_eq!(v.dossier_id, earlier.dossier_id);
            kept.push(v.process_id.clone());
            earlier = v;
        }
        // Those that were recorded before they were refused have their end.
        soon("all others have ended", async || {
            let (requested, ended) = requested_and_ended(&fleet).await;
            if requested == ended + 1 { Ok(()) } else { Err(format!("{requested} {ended}")) }
        })
        .await;
        no_deletion_waits(&fleet.nats).await;
        let processes = processes_of(&fleet.simulator, &earlier).await;
        assert!(processes.iter().any(|p| id_of(p) == earlier.process_id), "{processes:?}");
        assert_eq!(fleet.simulator.dossiers().await.len(), 1);
    }
    assert_eq!(kept.len(), 6);
}

/// Waits until everything that is to be deleted in Assure by now is deleted.
pub(super) async fn no_deletion_waits(nats: &async_nats::Client) {
    let jetstream = async_nats::jetstream::new(nats.clone());
    soon("every deletion is done", async || {
        let removals = jetstream.get_stream("VERIFICATIONS").await.unwrap();
        let removals = removals.consumer_info("result-normaliser-removals").await;
        let removals = removals.map_err(|error| error.to_string())?;
        let left = removals.num_pending + removals.num_ack_pending as u64;
        // Asked in one request, as a timer that comes due stands elsewhere from then on.
        let timers = jetstream.get_stream("TIMERS").await.unwrap();
        let deletions = "proofline.timer.v1.*.delete-in-assure.>";
        let waiting = timers.info_with_subjects(deletions).await.map_err(|e| e.to_string())?;
        let waiting = waiting.try_collect::<Vec<_>>().await.map_err(|e| e.to_string())?.len();
        if left == 0 && waiting == 0 { Ok(()) } else { Err(format!("{left} {waiting}")) }
    })
    .await;
}
