//! How a process goes on after its start, by its script, to its one end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::callbacks::{self, Message};
use crate::clock::pause;
use crate::error::Refusal;
use crate::results;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::webhooks::{self, Event};

/// Lets time run for a process that was just started.
pub(crate) fn started(simulator: &Arc<Simulator>, process_id: &str) {
    let (script, outcome) = match simulator.store().find_process(process_id) {
        Ok(process) => (process.script.clone(), process.outcome().clone()),
        // Deleted already.
        Err(_) => return,
    };
    if script.callback.early {
        let told = script.callback.lie.unwrap_or_else(|| outcome.clone());
        notify(simulator, process_id, told, 1);
    }
    if outcome == Status::Processing {
        return;
    }
    let id = process_id.to_owned();
    let shared = Arc::clone(simulator);
    simulator.spawn(async move {
        pause(script.processing_time).await;
        // The script may have been rewritten meanwhile.
        let outcome = match shared.store().find_process(&id) {
            Ok(process) => process.outcome().clone(),
            Err(_) => return,
        };
        if outcome.is_final() {
            // Refused when somebody ended or deleted it first; then there is nothing to do.
            let _ = end(&shared, &id, outcome, None, |s| !s.is_final());
        }
    });
}

/// Does what an end-user chose on a hosted page: to the end at once, or by way of `processing`.
///
/// # Errors
///
/// 404; 409 when it has ended already.
pub(crate) fn chosen(
    simulator: &Arc<Simulator>,
    process_id: &str,
    outcome: Status,
    at_once: bool,
) -> Result<(), Refusal> {
    if at_once && outcome.is_final() {
        return end(simulator, process_id, outcome, None, |s| !s.is_final());
    }
    let now = simulator.clock.now();
    {
        let mut store = simulator.store();
        let process = store.find_process(process_id)?;
        if process.status.is_final() {
            return Err(Refusal::conflict("The process has ended."));
        }
        process.chosen = Some(outcome);
        process.freeze(now);
    }
    started(simulator, process_id);
    Ok(())
}

/// Ends a process and sends its callback and its events as planned.
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
    let (plan, webhook, event) = {
        let mut store = simulator.store();
        let process = store.find_process(process_id)?;
        if !allows(&process.status) {
            return Err(Refusal::conflict("The status of the process doesn't allow it."));
        }
        process.fail_reason = match (&status, fail_reason) {
            (Status::Failed, None) => Some(results::fail_reason(process)),
            (_, reason) => reason,
        };
        process.status = status.clone();
        process.updated_at = now;
        process.ended = Some(Instant::now());
        let dossier_id = process.dossier_id.clone();
        let dossier = store.dossier(&dossier_id)?;
        let process = store.process(&dossier_id, process_id)?;
        let event = Event::of(dossier, process, now, simulator.settings.webhook_lifetime);
        (process.script.callback.clone(), process.script.webhook.clone(), event)
    };
    webhooks::publish(simulator, event, &webhook);
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
