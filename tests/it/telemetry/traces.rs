//! One verification as its traces show it.

use std::fmt::Write as _;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;

use super::collector::{Collector, Seen};
use crate::harness::{Scene, Stage, Verification};

const DOCUMENTED: &str = include_str!("../../../docs/telemetry.md");

/// Of the trace that begins with this span, the tree, children in the order of their names.
fn tree(spans: &[Seen], root: &Seen) -> String {
    let mut drawn = String::new();
    draw(spans, root, 0, &mut drawn);
    drawn
}

fn draw(spans: &[Seen], span: &Seen, depth: usize, drawn: &mut String) {
    let arrow = if span.links.is_empty() { "" } else { "  ⤷ linked to the request" };
    writeln!(drawn, "{:indent$}{}  [{}]{arrow}", "", span.name, span.service, indent = depth * 2)
        .unwrap();
    let mut children: Vec<_> =
        spans.iter().filter(|s| s.trace == span.trace && s.parent == span.id).collect();
    // What is done one after another in that order; what others do meanwhile after that.
    children.sort_by_key(|child| {
        let consumer = child.says("messaging.consumer.group.name");
        if consumer.is_empty() { (false, child.began, "") } else { (true, 0, consumer) }
    });
    for child in children {
        draw(spans, child, depth + 1, drawn);
    }
}

fn root<'a>(spans: &'a [Seen], name: &str) -> Option<&'a Seen> {
    let mut found = spans.iter().filter(|span| span.name == name && span.parent.is_empty());
    let root = found.next();
    assert!(found.next().is_none(), "{name} happened twice");
    root
}

/// The trees of the three traces in the page, one after another.
fn documented() -> Vec<&'static str> {
    let (_, rest) = DOCUMENTED.split_once("<!-- trees -->\n").expect("the page has trees");
    let trees = rest.split("```text\n").skip(1).take(3);
    trees.map(|tree| tree.split_once("```").unwrap().0).collect()
}

/// A verification from its creation to its end by a callback.
async fn one_verification(stage: &Stage) -> Verification {
    let (given, when, then) = stage.acts();
    let never = json!({ "tags": ["web", "simulate:never-finishes"] });
    let v = given.a_submitted_verification(never).await;
    then.reaches(&v, "verifying").await;
    when.simulator.finishes(&v, "accepted").await;
    let callback = when.a_callback_is_caught().await;
    when.calls_back(&callback).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
    v
}

#[tokio::test]
async fn a_verification_is_three_trees_that_are_linked() {
    let collector = Collector::open().await;
    let stage = collector.collecting(Scene::new().catching_callbacks()).start().await;

    let v = one_verification(&stage).await;

    for (name, wanted) in
        ["POST /v1/verifications", "POST /v1/verifications/{id}/submit", "POST /callbacks/{token}"]
            .into_iter()
            .zip(documented())
    {
        collector
            .when(&format!("the trace of {name} is as documented:\n{wanted}"), |spans| {
                let seen = tree(spans, root(spans, name).ok_or("not there")?);
                if seen == wanted { Ok(()) } else { Err(seen) }
            })
            .await;
    }
    let spans = collector.spans();
    let first = root(&spans, "POST /v1/verifications").unwrap();
    let is_it = |s: &&Seen| s.name == "publish proofline.v1.verification-requested";
    let requested = spans.iter().find(is_it).unwrap();
    assert_eq!(requested.trace, first.trace);
    for (consumer, operation) in [
        ("verifier-submissions", "assure.start_verification"),
        ("result-normaliser-signals", "assure.get_process"),
    ] {
        let is_it = |s: &&Seen| s.says("messaging.consumer.group.name") == consumer;
        let span = spans.iter().find(is_it).unwrap();
        assert_ne!(span.trace, first.trace);
        assert!(span.links.iter().any(|(trace, id)| (trace, id) == (&first.trace, &requested.id)));
        assert_eq!(span.kind, SpanKind::Consumer);
        assert_eq!(span.says("verification.id"), v.id);
        assert_eq!(span.says("messaging.system"), "nats");
        assert_eq!(span.says("messaging.operation.type"), "process");
        let call = spans.iter().find(|s| s.parent == span.id && s.name == operation).unwrap();
        assert_eq!(call.kind, SpanKind::Client);
        assert_eq!(call.says("server.address"), "127.0.0.1");
        assert!(call.says("http.response.status_code").starts_with('2'));
    }
    let published =
        spans.iter().find(|s| s.name == "publish proofline.v1.process-finished").unwrap();
    assert_eq!(published.kind, SpanKind::Producer);
    assert_eq!(published.says("messaging.operation.type"), "send");
    assert_eq!(
        published.says("messaging.destination.template"),
        "proofline.v1.process-finished.{tenant}.{verification}"
    );
    assert_eq!(published.says("messaging.message.id"), format!("{}.process-finished", v.id));
    // Subscribers go on in the trace that led to the end.
    let (_, _, then) = stage.acts();
    let end = then.the_only_end().await;
    let traceparent = &end.headers["traceparent"];
    assert_eq!(*traceparent, format!("00-{}-{}-01", published.trace, published.id));
    let heard = root(&spans, "POST /callbacks/{token}").unwrap();
    assert_eq!(
        (heard.says("verification.id"), heard.says("http.route")),
        (v.id.as_str(), "/callbacks/{token}")
    );
    assert!(!spans.iter().any(|span| span.is_error), "all went well");
}

#[tokio::test]
async fn a_timer_is_linked_to_what_set_it() {
    let collector = Collector::open().await;
    let stage = collector.collecting(Scene::new()).start().await;
    let (given, _, _) = stage.acts();

    given.a_verification(json!({ "expires_in_seconds": 1 })).await;

    let (timer, request) = collector
        .when("the deadline has come", |spans| {
            let find = |name: &str| {
                let is_it = |s: &&Seen| s.name == name && s.service == "verifier";
                spans.iter().find(is_it).cloned().ok_or_else(|| format!("{name} is not there"))
            };
            let timer = find("process proofline.timer.v1.due.deadline")?;
            Ok((timer, find("process proofline.v1.verification-requested")?))
        })
        .await;
    assert_eq!(timer.parent, "");
    assert!(timer.links.contains(&(request.trace, request.id)), "{:?}", timer.links);
}

#[tokio::test]
async fn a_call_that_fails_says_why_and_what_assures_support_asks_for() {
    let collector = Collector::open().await;
    let stage = collector.collecting(Scene::new()).start().await;
    let (_, when, _) = stage.acts();

    for (code, status, problem) in [(400, 422, "assure-refused"), (500, 503, "assure-unavailable")]
    {
        let fault = json!({ "status": { "code": code } });
        when.simulator.goes_wrong("createProcess", fault, json!({})).await;
        when.creates(json!({})).await.problem(status, problem);
        when.simulator.recovers().await;

        let call = collector
            .when(&format!("a call failed with {code}"), |spans| {
                let code = code.to_string();
                let is_it = |s: &&Seen| s.is_error && s.says("http.response.status_code") == code;
                spans.iter().find(is_it).cloned().ok_or_else(|| format!("{spans:?}"))
            })
            .await;
        assert_eq!(call.name, "assure.create_process");
        let error = if code == 400 { "refused" } else { "unavailable" };
        assert_eq!(call.says("error.type"), error);
        assert_eq!(call.says("assure.trace_id").len(), 32, "{call:?}");
    }
}

#[tokio::test]
async fn of_what_is_not_sampled_nothing_is_sent_but_its_ids_go_on() {
    let collector = Collector::open().await;
    let mut scene = collector.collecting(Scene::new().catching_callbacks());
    for service in crate::harness::SERVICES {
        scene = scene.with(service, "OTEL_TRACES_SAMPLER", "parentbased_traceidratio").with(
            service,
            "OTEL_TRACES_SAMPLER_ARG",
            "0",
        );
    }
    let stage = scene.start().await;

    one_verification(&stage).await;

    let (_, _, then) = stage.acts();
    let end = then.the_only_end().await;
    assert!(end.headers["traceparent"].ends_with("-00"), "{:?}", end.headers);
    stage.process("proofline-result-normaliser").terminate().await;
    assert!(stage.process("proofline-result-normaliser").ended().await.success());
    assert!(collector.spans().is_empty(), "{:?}", collector.spans());
}
