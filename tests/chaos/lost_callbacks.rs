//! Assure never calls back: everything ends all the same, and Assure is hardly asked more.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use crate::{
    harness::load::{Config, Load, Pace},
    resilience::harness::{Plan, SIMULATOR, VERIFIER},
};

/// What a verification by upload takes anyway: dossier, process, two images, start, result.
const OWN_CALLS: usize = 6;
/// The promise.
const MOST_MORE: usize = 2;
const CALLERS: usize = 16;
/// From the last submission.
const ENDED_WITHIN: Duration = Duration::from_secs(300);

/// Whether all ended, for no more calls than promised.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
pub(super) async fn run(verifications: usize) -> bool {
    let fleet = Plan::new()
        .with(SIMULATOR, "SIMULATOR_CALLBACKS", "off")
        .with(VERIFIER, "PROOFLINE_CALLBACK_GRACE", "10s")
        .with(VERIFIER, "PROOFLINE_RECONCILE_INTERVAL", "5s")
        .replicas(VERIFIER, 2)
        .start()
        .await;
    let caller = fleet.caller();
    let config = Config {
        pace: Pace::Callers(CALLERS),
        most: verifications,
        // One of ten is still at work when it is first looked up.
        members: Arc::new(|number| match number % 10 {
            0 => json!({ "tags": ["simulate:processing-time=20s"] }),
            _ => json!({}),
        }),
        ..Config::new("lost", vec![caller.api], vec![caller.uploads])
    };

    let ledger = Load::start(config).ended().await;
    println!("{} are submitted", ledger.done_count());
    let report = ledger.settle(&fleet.nats, ENDED_WITHIN).await;

    let calls = fleet.simulator.counts().await;
    let sum: u64 = calls.values().sum();
    println!("{report}\ncalls to Assure");
    for (operation, count) in &calls {
        println!("  {operation:<34} {count:>8}");
    }
    let each = sum as f64 / verifications as f64;
    let more = each - OWN_CALLS as f64;
    println!("calls to Assure for each verification {each:.3}, {more:.3} beyond the flow's own");
    report.is_kept() && report.ended() == verifications && more <= MOST_MORE as f64
}
