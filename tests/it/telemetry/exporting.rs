//! Exporting: at the end all of it, and never in the way.

use std::time::{Duration, Instant};

use serde_json::json;

use super::collector::Collector;
use crate::harness::{SERVICES, Scene};

#[tokio::test]
async fn what_is_still_in_memory_is_sent_when_a_service_stops() {
    let collector = Collector::open().await;
    let mut scene = collector.collecting(Scene::new());
    for service in SERVICES {
        // An hour: nothing is sent by itself.
        scene = scene.with(service, "OTEL_BSP_SCHEDULE_DELAY", 3_600_000).with(
            service,
            "OTEL_METRIC_EXPORT_INTERVAL",
            3_600_000,
        );
    }
    let stage = scene.start().await;
    let (given, _, _) = stage.acts();
    given.a_verification(json!({})).await;
    assert!(collector.spans().is_empty());

    stage.process("proofline-intake").terminate().await;
    assert!(stage.process("proofline-intake").ended().await.success());

    let spans = collector.spans();
    assert!(spans.iter().any(|span| span.name == "POST /v1/verifications"), "{spans:?}");
    let metrics = collector.metrics();
    for metric in ["http.server.request.duration", "proofline.events", "proofline.nats.connected"] {
        assert!(metrics.iter().any(|name| name == metric), "{metric} is not in {metrics:?}");
    }
}

#[tokio::test]
async fn a_collector_that_hangs_or_is_not_there_holds_nothing_up() {
    let hanging = Collector::that_hangs().await;
    for url in [hanging.url.as_str(), "http://127.0.0.1:1"] {
        let mut scene = hanging.collecting(Scene::new());
        for service in SERVICES {
            scene = scene.with(service, "OTEL_EXPORTER_OTLP_ENDPOINT", url);
        }
        let stage = scene.start().await;
        let (given, _, then) = stage.acts();
        let v = given.a_submitted_verification(json!({})).await;
        then.ends_as(&v, "accepted", "").await;

        for service in SERVICES {
            let asked_at = Instant::now();
            stage.process(service).terminate().await;
            assert!(stage.process(service).ended().await.success(), "{service} at {url}");
            assert!(asked_at.elapsed() < Duration::from_secs(10), "{service} at {url}");
        }
    }
}
