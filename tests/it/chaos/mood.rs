//! Assure in a bad mood.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::{Simulator, load::Callback};

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

/// What Assure has at the end.
pub(super) struct Seen {
    /// The callbacks that were answered with 200.
    pub(super) acknowledged: BTreeSet<Callback>,
    /// Those with more than one dossier, or more than one process.
    pub(super) doubled: Vec<String>,
}

pub(super) async fn seen(simulator: &Simulator) -> Seen {
    let (mut acknowledged, mut dossiers) = (BTreeSet::new(), BTreeMap::<_, Vec<_>>::new());
    for dossier in simulator.dossiers().await {
        let id = dossier["externalReference"].as_str().unwrap().to_owned();
        let processes = dossier["processes"].as_array().unwrap();
        acknowledged
            .extend(processes.iter().flat_map(|process| acknowledged_of(&dossier, process)));
        dossiers.entry(id).or_default().push(processes.len());
    }
    dossiers.retain(|_, processes| processes.len() > 1 || processes[0] > 1);
    Seen { acknowledged, doubled: dossiers.into_keys().collect() }
}

fn acknowledged_of(dossier: &Value, process: &Value) -> Vec<Callback> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sent = process["callbacks"].as_array().unwrap().iter();
    let acknowledged = sent.filter(|sent| sent["answer"] == 200).map(|sent| Callback {
        dossier_id: text(&dossier["dossierId"]),
        process_id: text(&process["processId"]),
        status: text(&sent["status"]),
    });
    acknowledged.collect()
}
