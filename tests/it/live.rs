//! The timeline as it happens.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{PATIENCE, Stage, Verification};

/// One Server-Sent Event.
#[derive(Debug, PartialEq)]
struct Sent {
    id: String,
    event: String,
    data: Value,
}

/// Everything that a stream brings until it closes.
async fn until_closed(request: RequestBuilder) -> Vec<Sent> {
    let whole = async { request.send().await.unwrap().text().await.unwrap() };
    let text = timeout(PATIENCE, whole).await.expect("the stream closes after the end");
    let field = |block: &str, name: &str| {
        let mut lines = block.lines().filter_map(|line| line.strip_prefix(name));
        lines.next().map(|value| value.trim_start_matches(": ").to_owned())
    };
    let event = |block: &str| {
        let data = serde_json::from_str(&field(block, "data")?).unwrap();
        Some(Sent { id: field(block, "id")?, event: field(block, "event")?, data })
    };
    text.split("\n\n").filter_map(event).collect()
}

fn live(stage: &Stage, v: &Verification) -> RequestBuilder {
    let path = format!("/v1/verifications/{}/events", v.id);
    stage.caller.get(&path).header("accept", "text/event-stream")
}

#[tokio::test]
async fn a_listener_hears_everything_once_and_in_order_until_the_end() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;
    let listener = tokio::spawn(until_closed(live(&stage, &v)));
    when.submits(&v).await.is(202);
    let heard = listener.await.unwrap();

    let told = then.timeline(&v).await;
    assert_eq!(heard.len(), told.len());
    for (heard, told) in heard.iter().zip(&told) {
        assert_eq!(heard.id, told["sequence"].to_string());
        assert_eq!(heard.event, told["type"]);
        assert_eq!(&heard.data, told);
    }
    assert_eq!(heard.last().unwrap().event, "proofline.v1.process-finished");
}

#[tokio::test]
async fn whoever_comes_back_hears_what_they_missed_and_no_more() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;
    when.submits(&v).await.is(202);
    then.ends_as(&v, "accepted", "").await;
    let all = until_closed(live(&stage, &v)).await;
    let (last, before) = all.split_last().unwrap();

    let known = &before.last().unwrap().id;
    let rest = until_closed(live(&stage, &v).header("last-event-id", known)).await;
    assert_eq!(
        rest,
        [Sent { id: last.id.clone(), event: last.event.clone(), data: last.data.clone() }]
    );
    assert_eq!(until_closed(live(&stage, &v).header("last-event-id", &last.id)).await, []);
}
