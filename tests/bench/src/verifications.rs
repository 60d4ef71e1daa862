//! Verifications that wait for nothing but their callback.

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;

use crate::harness::{Ask, Stage, Verification, load};

/// Made at the same time.
const AT_ONCE: usize = 32;
/// Of the flows of `every_flow` the one that takes the fewest calls.
const EID: usize = 4;

/// Makes so many, which Assure has finished and told nobody.
pub(crate) async fn finished_at_assure(stage: &Stage, count: usize) -> Vec<Verification> {
    let making = stream::iter(0..count).map(async |_| {
        let mut members = load::every_flow(EID);
        members["tags"] = json!(["simulate:callback-lost"]);
        let verification = stage.acts().0.a_verification(members).await;
        let path = format!("/simulator/processes/{}/finish", verification.process_id);
        let url = format!("{}{path}", stage.simulator.url);
        let finish = stage.simulator.http.request(Method::POST, url);
        let answer = finish.json(&json!({ "status": "accepted" })).ask().await;
        assert!(answer.status < 300, "{}", answer.body);
        verification
    });
    making.buffer_unordered(AT_ONCE).collect().await
}
