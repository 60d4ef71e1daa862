//! What a real scrape of all services shows after a run in which everything happens.

use std::collections::BTreeSet;

use proofline_events::EventType;

use super::{
    run,
    scrape::{Scrape, documented},
};

#[tokio::test]
async fn everything_that_happens_is_told_as_the_page_says_and_nothing_else() {
    let stage = run::scene().start().await;

    let scrape = run::everything(&stage).await;

    let mut seen = scrape.metrics.clone();
    seen.remove("target_info");
    let documented = documented();
    for (name, metric) in &seen {
        assert_eq!(documented.get(name), Some(metric), "{name} in docs/telemetry.md");
    }
    assert_eq!(seen.len(), documented.len());
    every_kind(&scrape);
    nothing_personal(&scrape);
    fitting_buckets(&scrape);
}

fn every_kind(scrape: &Scrape) {
    let all: BTreeSet<_> = EventType::ALL.iter().map(|event| event.name()).collect();
    assert_eq!(scrape.values_of("proofline_events_total", "event"), all);
    let sources = scrape.values_of("proofline_signals_total", "source");
    assert_eq!(
        sources,
        BTreeSet::from(["callback", "deadline", "reconciliation", "return", "webhook"])
    );
    let routes = scrape.values_of("proofline_unauthentic_requests_total", "route");
    assert_eq!(routes.len(), 4, "{routes:?}");
    for (name, labels) in [
        ("proofline_signals_total", ("outcome", "repeat")),
        ("proofline_reconciliation_looked_up_total", ("found", "ended")),
        ("proofline_reconciliation_looked_up_total", ("found", "open")),
        ("proofline_dead_letters_written_total", ("reason", "unreadable")),
        ("proofline_vault_failures_total", ("reason", "data_key_missing")),
        ("proofline_assure_limited_total", ("asked", "call")),
        ("proofline_assure_token_renewals_total", ("account", "own")),
        ("proofline_consumer_deliveries_total", ("redelivered", "false")),
        ("proofline_signal_end_duration_seconds_count", ("source", "callback")),
        ("proofline_verification_duration_seconds_count", ("outcome", "expired")),
        ("proofline_upload_size_bytes_sum", ("outcome", "received")),
    ] {
        assert!(scrape.value(name, &[labels]) > 0.0, "{name} {labels:?}");
    }
    let open = scrape.value("proofline_verifications_open", &[]);
    // What the run leaves behind without an end.
    assert!((1.0..10.0).contains(&open), "{open} are open");
    assert!(scrape.value("proofline_dead_letters_waiting", &[]) > 0.0);
    assert!(scrape.value("proofline_nats_reconnects_total", &[]) >= 5.0);
}

/// Neither ids nor tenants.
fn nothing_personal(scrape: &Scrape) {
    for sample in &scrape.samples {
        for (name, value) in &sample.labels {
            let is_id = value.contains("vrf_") || value.contains('@') || value.len() > 60;
            let is_tenant = ["acme", "other"].contains(&value.as_str());
            assert!(!is_id && !is_tenant, "{}: {name} is {value}", sample.name);
        }
    }
}

/// The buckets that the SDK has for milliseconds fit nothing here.
fn fitting_buckets(scrape: &Scrape) {
    for sample in &scrape.samples {
        let le = sample.labels.get("le").map(String::as_str);
        assert_ne!(le, Some("7500"), "{} has no bounds of its own", sample.name);
    }
}
