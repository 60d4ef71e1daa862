//! Erasing, failing and discarding in a shared dossier: each takes its own away and nothing else,
//! and the dossier goes with the last.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    end_user::EndUser,
    id_of,
    orders::{capture, eid},
    processes_of,
    shared_dossier::{a_rejected_verification, in_dossier_of, no_deletion_waits},
};
use crate::harness::{Ask, Scene, Stage, Verification, eventually};

const NORMALISER: &str = "proofline-result-normaliser";

/// One of each kind, finished, in one dossier; with their processes.
async fn three_in_one_dossier(stage: &Stage) -> [Verification; 3] {
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let first = a_rejected_verification(stage).await;
    let mut second = given.a_verification(in_dossier_of(&first, capture(&json!({})))).await;
    // It takes two attempts, so there are two processes of it.
    end_user.opens(&second).await;
    end_user.chooses(&second, "again").await;
    end_user.goes_through(&second, "accepted").await;
    let seen = then.ends_as(&second, "accepted", "").await;
    second.process_id = seen["process_id"].as_str().unwrap().to_owned();
    let third = given.a_verification(in_dossier_of(&second, eid(&json!({})))).await;
    end_user.goes_through(&third, "accepted").await;
    then.ends_as(&third, "accepted", "").await;
    [first, second, third]
}

pub(super) async fn is_erased(stage: &Stage, v: &Verification) {
    let (_, _, then) = stage.acts();
    let path = format!("/v1/verifications/{}", v.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    then.is_told(v, "data-erased", 1).await;
    assert_eq!(then.shows(v).await["status"], "erased");
    let result = stage.caller.get(&format!("{path}/result")).ask().await;
    result.problem(410, "erased");
}

async fn processes_left(stage: &Stage, v: &Verification) -> Vec<String> {
    let processes = processes_of(&stage.simulator, v).await;
    processes.iter().map(|process| id_of(process).to_owned()).collect()
}

#[tokio::test]
async fn in_whatever_order_they_are_erased_each_takes_its_own_and_the_last_the_dossier() {
    let stage = Stage::start().await;
    for turns in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let three = three_in_one_dossier(&stage).await;
        let mut left = processes_left(&stage, &three[0]).await;
        assert_eq!(left.len(), 4);
        let canceled = left[1].clone();
        for (turn, who) in turns.into_iter().enumerate() {
            is_erased(&stage, &three[who]).await;

            left.retain(|id| *id != three[who].process_id);
            if who == 1 {
                left.retain(|id| *id != canceled);
            }
            assert_eq!(processes_left(&stage, &three[0]).await, left, "{turns:?} at {turn}");
            let is_last = turn == 2;
            let dossiers = stage.simulator.dossiers().await;
            assert_eq!(dossiers.is_empty(), is_last, "{turns:?} at {turn}");
            // The others' results are as they were.
            for other in turns[turn + 1..].iter().map(|other| &three[*other]) {
                stage.acts().2.result(other).await;
            }
        }
    }
}

#[tokio::test]
async fn an_erasure_leaves_the_one_that_is_under_way_in_that_dossier_alone() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    for order in [capture(&json!({})), eid(&json!({}))] {
        let first = a_rejected_verification(&stage).await;
        let v = given.a_verification(in_dossier_of(&first, order)).await;
        end_user.opens(&v).await;

        is_erased(&stage, &first).await;

        assert_eq!(processes_left(&stage, &v).await.len(), 1);
        end_user.goes_through(&v, "accepted").await;
        then.ends_as(&v, "accepted", "").await;
        is_erased(&stage, &v).await;
        assert_eq!(then.simulator.dossiers().await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn an_erased_one_can_be_followed_by_another_through_whoever_is_left() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let first = a_rejected_verification(&stage).await;
    let second = given.a_verification(in_dossier_of(&first, eid(&json!({})))).await;
    end_user.goes_through(&second, "accepted").await;
    then.ends_as(&second, "accepted", "").await;
    is_erased(&stage, &first).await;
    let refused = when.creates(in_dossier_of(&first, json!({}))).await;
    assert_eq!(refused.pointers(), ["/same_dossier_as"]);

    let third = given.a_verification(in_dossier_of(&second, json!({}))).await;

    assert_eq!(third.dossier_id, first.dossier_id);
    is_erased(&stage, &second).await;
    assert_eq!(processes_left(&stage, &third).await, [third.process_id.as_str()]);
    is_erased(&stage, &third).await;
    assert_eq!(then.simulator.dossiers().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_creation_that_failed_in_a_shared_dossier_leaves_it_and_the_others_alone() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let first = a_rejected_verification(&stage).await;
    let failures = [
        ("createProcess", json!({ "status": { "code": 503 } }), false, json!({})),
        ("createProcess", json!("reset"), true, eid(&json!({}))),
        ("createProcess", json!({ "status": { "code": 400 } }), false, json!({})),
        (
            "startCapture",
            json!("reset"),
            true,
            capture(&json!({ "tags": ["simulate:process-at-start"] })),
        ),
        ("getDossier", json!({ "status": { "code": 503 } }), false, json!({})),
        (
            "setUserData",
            json!({ "status": { "code": 400 } }),
            false,
            json!({ "user_data": { "firstName": "Inga" } }),
        ),
    ];
    for (number, (operation, kind, carried_out, members)) in failures.into_iter().enumerate() {
        let case = format!("{operation} {kind}");
        let mut more = json!({ "carriedOut": carried_out });
        if kind == json!("reset") {
            more["when"] = json!({ "next": 1 });
        }
        when.simulator.goes_wrong(operation, kind, more).await;
        let answer = when.creates(in_dossier_of(&first, members)).await;
        assert!([422, 503].contains(&answer.status), "{case} {}", answer.body);
        when.simulator.recovers().await;

        eventually("it has its end", async || {
            let ends = then.ends().await;
            if ends.len() == number + 2 { Ok(()) } else { Err(format!("{case} {ends:?}")) }
        })
        .await;
        no_deletion_waits(&stage.nats).await;
        assert_eq!(processes_left(&stage, &first).await, [first.process_id.as_str()], "{case}");
    }
    // The dossier can be used all the same.
    let next = given.a_verification(in_dossier_of(&first, json!({}))).await;
    assert_eq!(next.dossier_id, first.dossier_id);
    is_erased(&stage, &first).await;
    assert_eq!(processes_left(&stage, &next).await, [next.process_id.as_str()]);
    is_erased(&stage, &next).await;
    assert_eq!(then.simulator.dossiers().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_discarded_one_takes_its_process_away_and_no_other() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let first = a_rejected_verification(&stage).await;
    let mut newest = first.clone();
    for order in [json!({}), eid(&json!({})), capture(&json!({})), capture(&json!({}))] {
        let v = given.a_verification(in_dossier_of(&newest, order)).await;
        if v.process_id.is_empty() {
            end_user.opens(&v).await;
        }
        assert_eq!(processes_left(&stage, &first).await.len(), 2);

        when.cancels(&v).await.is(202);

        then.ends_as(&v, "canceled", "canceled-by-caller").await;
        no_deletion_waits(&stage.nats).await;
        assert_eq!(processes_left(&stage, &first).await, [first.process_id.as_str()]);
        newest = v;
    }
}

#[tokio::test]
async fn long_enough_after_its_end_each_goes_from_assure_and_the_dossier_with_the_last() {
    let stage = Scene::new().with(NORMALISER, "ASSURE_DELETE_AFTER", "4s").start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let first = a_rejected_verification(&stage).await;
    // One that failed and one that was discarded have come and gone when the last one begins.
    let refusing = json!({ "status": { "code": 400 } });
    when.simulator.goes_wrong("createProcess", refusing, json!({ "when": { "next": 1 } })).await;
    when.creates(in_dossier_of(&first, json!({}))).await.problem(422, "assure-refused");
    then.simulator.recovers().await;
    eventually("it has its end", async || {
        let ends = then.ends().await;
        if ends.len() == 2 { Ok(()) } else { Err(format!("{ends:?}")) }
    })
    .await;
    let discarded = given.a_verification(in_dossier_of(&first, capture(&json!({})))).await;
    end_user.opens(&discarded).await;
    when.cancels(&discarded).await.is(202);
    then.ends_as(&discarded, "canceled", "canceled-by-caller").await;
    let second = given.a_verification(in_dossier_of(&first, eid(&json!({})))).await;
    assert!(processes_left(&stage, &first).await.contains(&first.process_id));

    then.simulator.forgets(&first).await;
    // Whatever of the discarded one had to wait for its time is gone too.
    no_deletion_waits(&stage.nats).await;

    assert_eq!(processes_left(&stage, &first).await, [second.process_id.as_str()]);
    end_user.goes_through(&second, "accepted").await;
    then.ends_as(&second, "accepted", "").await;
    assert_eq!(processes_left(&stage, &first).await, [second.process_id.as_str()]);
    eventually("the dossier is gone", async || {
        let dossiers = then.simulator.dossiers().await;
        if dossiers.is_empty() { Ok(()) } else { Err(format!("{dossiers:?}")) }
    })
    .await;
    // What was found out stays here; there is nothing left to share.
    assert_eq!(then.result(&first).await["outcome"], "rejected");
    assert!(then.result(&second).await["user_info"].is_object());
    when.creates(in_dossier_of(&second, json!({}))).await.problem(422, "invalid-request");
}

#[tokio::test]
async fn erased_all_at_once_they_leave_nothing_behind() {
    let stage = Stage::start().await;
    for _ in 0..3 {
        let three = three_in_one_dossier(&stage).await;

        join_all(three.iter().map(|v| is_erased(&stage, v))).await;

        assert_eq!(stage.simulator.dossiers().await, Vec::<Value>::new());
    }
}
