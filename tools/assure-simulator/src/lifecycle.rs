//! How a process goes on after its start, by its script, to its one end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::callbacks::{self, Message};
use crate::clock::pause;
use crate::error::Refusal;
use crate::simulator::Simulator;
use crate::status::Status;

/// Lets time run for a process that was just started.
pub(crate) fn started(simulator: &Arc<Simulator>, process_id: &str) {
    let script = match simulator.store().find_process(process_id) {
        Ok(process) => process.script.clone(),
        // Deleted already.
        Err(_) => return,
    };
    if script.callback.early {
        let told = script.callback.lie.unwrap_or_else(|| script.outcome.clone());
        notify(simulator, process_id, told, 1);
    }
    if script.outcome == Status::Processing {
        return;
    }
    let id = process_id.to_owned();
    let shared = Arc::clone(simulator);
    simulator.spawn(async move {
        pause(script.processing_time).await;
        // The script may have been rewritten meanwhile.
        let outcome = match shared.store().find_process(&id) {
            Ok(process) => process.script.outcome.clone(),
            Err(_) => return,
        };
        if outcome.is_final() {
            // Refused when somebody ended or deleted it first; then there is nothing to do.
            let _ = end(&shared, &id, outcome, None, |s| !s.is_final());
        }
    });
}

/// Ends a process and sends its callback as planned.
///
/// # Errors
///
/// 404; 409 when its present status doesn't allow it.
pub(crate) fn end(
    simulator: &Arc<Simulator>,
    process_id: &str,
    status: Status,
    fail_reason: Option<Value>,
    allows: impl FnOnce(&Status) -> bool,
) -> Result<(), Refusal> {
    let now = simulator.clock.now();
    let plan = {
        let mut store = simulator.store();
        let process = store.find_process(process_id)?;
        if !allows(&process.status) {
            return Err(Refusal::conflict("The status of the process doesn't allow it."));
        }
        process.fail_reason = match (&status, fail_reason) {
            (Status::Failed, None) => Some(json!({
                "type": "upload_failed",
                "message": "The simulator was told to fail.",
            })),
            (_, reason) => reason,
        };
        process.status = status.clone();
        process.updated_at = now;
        process.ended = Some(Instant::now());
        process.script.callback.clone()
    };
    if !plan.lost {
        let told = plan.lie.unwrap_or(status);
        notify_later(simulator, process_id, told, plan.copies, plan.delay);
    }
    Ok(())
}

fn notify_later(
    simulator: &Arc<Simulator>,
    process_id: &str,
    told: Status,
    copies: u32,
    delay: Duration,
) {
    if delay.is_zero() {
        return notify(simulator, process_id, told, copies);
    }
    let id = process_id.to_owned();
    let shared = Arc::clone(simulator);
    simulator.spawn(async move {
        pause(delay).await;
        notify(&shared, &id, told, copies);
    });
}

/// Starts delivery, where the process asked for a callback and still exists.
fn notify(simulator: &Arc<Simulator>, process_id: &str, told: Status, copies: u32) {
    if !simulator.settings.callbacks {
        return;
    }
    let message = match simulator.store().find_process(process_id) {
        Ok(process) => Message::of(process, told),
        Err(_) => None,
    };
    let Some(message) = message else { return };
    for _ in 0..copies {
        let shared = Arc::clone(simulator);
        simulator.spawn(callbacks::deliver(shared, message.clone()));
    }
}
