//! eID flow: a log-in.

use serde_json::{Value, json};

use super::{
    rows::each_end_of,
    way::{Way, lands},
};
use crate::harness::{Ask, Stage, Verification};

#[tokio::test]
async fn a_log_in_ends_in_every_way() {
    let stage = Stage::start().await;

    each_end_of(&stage, &[Way::eid().never(&["inconclusive"])]).await;
}

#[tokio::test]
async fn whoever_waits_is_answered_when_the_end_user_is_back() {
    let stage = Stage::start().await;
    let way = Way::eid();
    let v = way.begin(&stage, &["simulate:callback-lost".to_owned()]).await;
    let wait = stage.caller.look_at(&v.id).header("prefer", "wait=15");

    let logs_in = async {
        let sent_on = way.act(&stage, &v, "accepted").await.unwrap();
        lands(&stage, &v, &sent_on).await;
    };
    let (answer, ()) = tokio::join!(wait.ask(), logs_in);

    let seen = answer.is(200);
    assert_eq!((&seen["status"], &seen["outcome"]), (&json!("finished"), &json!("accepted")));
}

async fn user_info(stage: &Stage, form: &str) -> (Verification, Value) {
    let way = Way::eid();
    let v = way.begin(stage, &[format!("simulate:user-info={form}")]).await;
    way.act(stage, &v, "accepted").await;
    stage.acts().2.ends_as(&v, "accepted", "").await;
    let result = stage.acts().2.result(&v).await;
    let process = stage.simulator.get_process(&v).await;
    assert_eq!(result["final_result"], Value::Null, "{form}");
    assert_eq!(result["user_info"], process["userInfo"], "{form}");
    assert_eq!(result["process"], process, "{form}");
    let user_info = result["user_info"].clone();
    (v, user_info)
}

#[tokio::test]
async fn what_is_told_of_the_person_is_passed_on_in_each_of_its_forms() {
    let stage = Stage::start().await;

    let (_, object) = user_info(&stage, "object").await;
    assert_eq!(object["consumer.preferredlastname"], "Voorbeeld");
    let (_, signed) = user_info(&stage, "signed").await;
    assert_eq!(signed.as_str().unwrap().split('.').count(), 3);
    let (v, encrypted) = user_info(&stage, "encrypted").await;
    assert_eq!(encrypted.as_str().unwrap().split('.').count(), 5);
    assert_eq!(stage.simulator.get_process(&v).await["finalResult"], Value::Null);
}
