//! Every flow to its end: what end-users do on pages, how they come back, whose process it is in a
//! dossier, and what is left when it is discarded or erased.
//!
//! `orders.rs` has one creation for each flow, `end_user.rs` somebody to go through the pages.

mod cancel_and_erase;
mod capture;
mod crashes;
mod eid;
mod end_user;
mod orders;
mod overdue;
mod privacy;
mod returns;
mod shared_dossier;
mod shared_dossier_erased;

use serde_json::Value;

use crate::harness::{Simulator, Verification, eventually};

/// The address that a verification's creation sends its end-user to.
#[track_caller]
fn page_of(v: &Verification) -> &str {
    let action = &v.created["next_action"];
    assert_eq!(action["type"], "redirect", "{action}");
    action["url"].as_str().unwrap()
}

/// The processes that Assure has in the dossier of a verification, oldest first.
async fn processes_of(simulator: &Simulator, v: &Verification) -> Vec<Value> {
    let dossiers = simulator.dossiers().await;
    let mut dossiers = dossiers.into_iter().filter(|d| d["dossierId"] == v.dossier_id);
    let dossier = dossiers.next().unwrap_or_default();
    dossier["processes"].as_array().cloned().unwrap_or_default()
}

fn id_of(process: &Value) -> &str {
    process["processId"].as_str().unwrap()
}

/// How often Assure was asked what is in the dossier of a verification.
async fn looks_into_dossier(simulator: &Simulator, v: &Verification) -> usize {
    let calls = simulator.calls_about(v).await;
    calls.iter().filter(|operation| *operation == "getDossier").count()
}

/// Waits until it was asked once more than so often.
async fn is_looked_into(simulator: &Simulator, v: &Verification, before: usize) {
    eventually("the dossier is looked into", async || {
        let looks = looks_into_dossier(simulator, v).await;
        if looks > before { Ok(()) } else { Err(format!("{looks} times")) }
    })
    .await;
}
