//! Erasure on a cluster, whose servers keep a log of what they have agreed on beside what they store.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Ask, Bus, Scene, eventually, files_with};

#[tokio::test]
async fn an_erased_key_leaves_the_store_of_every_server_at_once() {
    let three = Scene::new().on(Bus::Cluster).with("proofline", "PROOFLINE_NATS_REPLICAS", 3);
    let stage = three.start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    then.finishes(&v).await;
    let key = stage.data_key_of(&v).await;
    let is_store =
        |path: &std::path::Path| path.components().any(|part| part.as_os_str() == "streams");
    let copies = || files_with(&stage.broker_folder(), &key);
    eventually("each server has it twice", async || {
        let found = copies();
        if found.len() == 6 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;

    let path = format!("/v1/verifications/{}", v.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    then.is_told(&v, "data-erased", 1).await;

    // What they have agreed on is compacted by themselves, later (`benches/erasure_time.rs`).
    eventually("no store has it", async || {
        let found: Vec<_> = copies().into_iter().filter(|path| is_store(path)).collect();
        if found.is_empty() { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}
