//! What nobody may do, tried by everybody.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::Value;

use super::{refusals::User, rights::TABLE};
use crate::harness::{Ask, Bus, Scene, Stage, servers};

#[tokio::test]
async fn whatever_is_not_in_the_table_is_refused_and_leaves_no_trace() {
    let stage = Scene::new().on(Bus::Alone).start().await;
    let before = state(&stage).await;

    let refused = join_all(TABLE.iter().map(async |rights| {
        let mut user = User::of(&stage, rights.user).await;
        let (publishes, subscribes) = (rights.forbidden_publishes(), rights.forbidden_subscribes());
        for subject in &publishes {
            user.may_not_publish(subject).await;
        }
        for subject in &subscribes {
            user.may_not_subscribe(subject).await;
        }
        publishes.len() + subscribes.len()
    }))
    .await;

    assert!(refused.iter().all(|count| *count > 200), "{refused:?}");
    assert_eq!(state(&stage).await, before);
    // Which `work.rs` looks for.
    assert!(stage.broker.lock().await.logs()[0].contains("Violation"));
}

#[tokio::test]
async fn nobody_is_let_in_without_a_password_or_encryption() {
    let stage = Scene::new().on(Bus::Alone).start().await;
    let guard = stage.guard.as_ref().unwrap();
    let url = stage.broker.lock().await.url();

    let nobody = async_nats::connect(&url).await;
    assert!(nobody.is_err(), "without encryption");
    for user in TABLE.map(|rights| rights.user).into_iter().chain(["sys"]) {
        let wrong = guard.login(user).user_and_password(user.to_owned(), "wrong".to_owned());
        let error = wrong.connect(servers(&url)).await.unwrap_err();
        assert!(error.to_string().contains("authorization violation"), "{user}: {error}");
    }
}

/// How far each stream is, how much is in it, and how many consumers it has. Not of `KV_PACE`: a
/// round of reconciliation may begin at any time.
async fn state(stage: &Stage) -> BTreeMap<String, Value> {
    let url = stage.broker.lock().await.monitoring_url();
    let url = format!("{url}/jsz?acc=SERVICES&streams=true&config=true");
    let answer = stage.caller.http.get(url).ask().await.is(200);
    let streams = answer["account_details"][0]["stream_detail"].as_array().unwrap().clone();
    assert_eq!(streams.len(), 9, "{answer}");
    let mut state = BTreeMap::new();
    for mut stream in streams {
        let name = stream["name"].as_str().unwrap().to_owned();
        if name == "KV_PACE" {
            continue;
        }
        let kept = ["messages", "bytes", "last_seq", "consumer_count"];
        let told = stream["state"].as_object().unwrap();
        let told = kept.map(|key| told.get(key).cloned().unwrap_or_default());
        let told = Value::from(told.to_vec());
        state.insert(name, Value::from(vec![told, stream["config"].take()]));
    }
    state
}
