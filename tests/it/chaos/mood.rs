//! Assure in a bad mood.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::Simulator;

/// Of all calls, some go wrong, in every way that a caller must bear.
pub(super) async fn turns_bad(simulator: &Simulator) {
    let status = |code: u16, body: &str| json!({ "status": { "code": code, "body": body } });
    let limited = json!({ "status": { "code": 429, "retryAfter": { "seconds": 2 } } });
    let slow = |ms: u32| json!({ "slow": { "ms": ms } });
    let faults = [
        (limited, 0.001, false),
        (status(500, "assure"), 0.01, false),
        (status(503, "html"), 0.01, false),
        (status(504, "empty"), 0.01, true),
        (json!("reset"), 0.01, false),
        (json!("reset"), 0.01, true),
        (json!("cutOff"), 0.005, true),
        (slow(4000), 0.005, true),
        (slow(200), 0.1, false),
    ];
    for (kind, probability, is_carried_out) in faults {
        let more = json!({ "when": { "probability": probability }, "carriedOut": is_carried_out });
        simulator.goes_wrong("*", kind, more).await;
    }
}

/// The verifications a callback of which was answered with 200.
pub(super) async fn acknowledged(simulator: &Simulator) -> BTreeSet<String> {
    let dossiers = simulator.dossiers().await;
    let is_acknowledged = |process: &Value| {
        let mut sent = process["callbacks"].as_array().unwrap().iter();
        sent.any(|callback| callback["answer"] == 200)
    };
    let dossiers = dossiers
        .iter()
        .filter(|dossier| dossier["processes"].as_array().unwrap().iter().any(is_acknowledged));
    dossiers.map(|dossier| dossier["externalReference"].as_str().unwrap().to_owned()).collect()
}
