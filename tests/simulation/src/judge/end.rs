//! What is wrong with an end: it must be Assure's word, or one of those that are ours, with its cause.

use std::time::Duration;

use proofline_events::{
    VerificationKey, Word, from_timestamp,
    v1::{Outcome, ProcessFinished, SignalSource},
};

use super::log::Log;
use crate::{Rule, Violation, assure::Process, jetstream::Store, world::World};

/// No look at Assure is older than this when an end is stored that came of it, if nobody stands still:
/// what it shows may be ten seconds behind, its answer takes up to twenty, and then it is sealed.
const LOOK: Duration = Duration::from_secs(60);
/// What Get process shows is no further behind, by our clock and Assure's.
const LAG: Duration = Duration::from_secs(15);
/// For processes that stand still, perhaps more than once.
const LOOK_OF_THE_SLOW: Duration = Duration::from_secs(180);

pub(super) fn wrong(world: &World, log: &Log, end: &ProcessFinished) -> Vec<Violation> {
    let (outcome, reason) = (end.outcome(), end.reason_code.as_str());
    let mut wrong = Vec::new();
    match of_final_status(&end.assure_status) {
        Some(said) if said == (outcome, reason) => {}
        Some(_) => wrong.push((Rule::AssuresWord, "which is not what that status means")),
        None => {
            wrong.extend(wrong_of_ours(log, end));
            if is_unheard(world, log) {
                wrong.push((Rule::AssureIsHeard, "although Assure has long had an end"));
            }
        }
    }
    if !end.assure_status.is_empty() && !was_said(world, end) {
        wrong.push((Rule::AssuresWord, "which Assure does not say"));
    }
    if outcome == Outcome::Expired && is_early(world, log, end) {
        wrong.push((Rule::NotBeforeTheDeadline, "before its deadline"));
    }
    if outcome == Outcome::Expired && was_in_time(world, log) {
        wrong.push((Rule::AssureIsHeard, "although Assure had an end before its deadline"));
    }
    if is_of_another(log, end) {
        wrong.push((Rule::OwnWord, "of a process or a dossier that is not in its log"));
    }
    let (id, outcome, status) = (&end.verification_id, outcome.word(), &end.assure_status);
    let told = |(rule, what): (Rule, &str)| {
        rule.broken(format!("{id}: ended {outcome} ({reason}) on status {status:?}, {what}"))
    };
    wrong.into_iter().map(told).collect()
}

/// What an end of Assure's has in its status must be sealed by now, unless it was erased.
pub(super) fn unsealed(
    store: &Store,
    key: &VerificationKey,
    end: &ProcessFinished,
) -> Option<Violation> {
    let is_there =
        |bucket: &str, of: &str| store.stream(bucket).last_on(&format!("$KV.{of}")).is_some();
    let is_kept = is_there("KV_DATA_KEYS", &format!("DATA_KEYS.{key}"));
    let result = format!("SEALED.{key}.result-{}", end.outcome().word());
    let is_missing = !end.assure_status.is_empty() && is_kept && !is_there("KV_SEALED", &result);
    let what = || format!("{}: its end is told, and its result is not sealed", key.id);
    is_missing.then(|| Rule::SealedBeforeTold.broken(what()))
}

/// The outcome and its reason, if this status is final.
fn of_final_status(status: &str) -> Option<(Outcome, &'static str)> {
    match status {
        "" | "pending" | "processing" => None,
        "accepted" => Some((Outcome::Accepted, "")),
        "rejected" => Some((Outcome::Rejected, "")),
        "inconclusive" => Some((Outcome::Inconclusive, "")),
        "canceled" => Some((Outcome::Canceled, "canceled-by-end-user")),
        "failed" => Some((Outcome::Failed, "provider-failed")),
        _ => Some((Outcome::Inconclusive, "unknown-status")),
    }
}

/// Whether the cause that it names is there.
fn wrong_of_ours(log: &Log, end: &ProcessFinished) -> Option<(Rule, &'static str)> {
    let status = end.assure_status.as_str();
    let is_right = match (end.outcome(), end.reason_code.as_str()) {
        (Outcome::Canceled, "canceled-by-caller") => log.is_discarded(),
        (Outcome::Expired, "never-submitted") => {
            status == "pending" || (status.is_empty() && log.process() == Some(""))
        }
        (Outcome::Expired, "no-result") => status == "processing",
        (Outcome::Expired, "setup-failed") => log.process().is_none(),
        (Outcome::Failed, "setup-failed") => log.setup_failure() == Some("setup-failed"),
        (Outcome::Failed, "setup-refused") => {
            // Assure refuses nothing here, but who comes to another's dossier may find it gone.
            let shares = log.request().is_some_and(|request| !request.same_dossier_as.is_empty());
            if !shares {
                return Some((Rule::NoHarm, "and Assure refuses nothing"));
            }
            log.setup_failure() == Some("setup-refused")
        }
        (Outcome::Failed, "process-gone" | "start-refused") => {
            return Some((Rule::NoHarm, "and Assure loses and refuses nothing"));
        }
        _ => false,
    };
    if !is_right {
        return Some((Rule::OwnWord, "of which its log knows nothing"));
    }
    let is_by_time = end.signal_source() == SignalSource::Deadline;
    let is_out_of_time = end.outcome() == Outcome::Expired && !is_by_time;
    is_out_of_time.then_some((Rule::OwnWord, "and not by its deadline"))
}

/// Whether all of its processes have been final for longer than any look takes.
fn is_unheard(world: &World, log: &Log) -> bool {
    let look = if world.profile().freeze > 0.0 { LOOK_OF_THE_SLOW } else { LOOK };
    final_for(world, log).is_some_and(|age| age > look)
}

/// Whether all of its processes were final when its deadline came: who looks because of that sees it,
/// however long it then stands still.
fn was_in_time(world: &World, log: &Log) -> bool {
    let furthest = Duration::from_millis(world.profile().clock_jump);
    let is_in_time = |(age, deadline)| world.server_time() - age + LAG + furthest < deadline;
    final_for(world, log).zip(log.expires_at()).is_some_and(is_in_time)
}

/// For how long all of its processes have been final, if they are.
fn final_for(world: &World, log: &Log) -> Option<Duration> {
    let (process, key) = log.process().zip(log.key())?;
    let state = world.assure.state();
    let mut own = state.processes_of(key);
    own.retain(|(id, _)| process.is_empty() || *id == process);
    let age = |there: &Process| {
        let (since, _) = there.statuses.last().filter(|_| there.is_final())?;
        Some(since.elapsed())
    };
    let ages: Option<Vec<_>> = own.iter().map(|(_, there)| age(there)).collect();
    ages?.into_iter().min()
}

/// Whether Assure has said so: of a final status, that it does to this day.
fn was_said(world: &World, end: &ProcessFinished) -> bool {
    let state = world.assure.state();
    let Some(process) = state.ever(&end.process_id) else { return false };
    let status = end.assure_status.as_str();
    match of_final_status(status) {
        Some(_) => process.status() == status,
        None => process.statuses.iter().any(|(_, said)| *said == status),
    }
}

/// By the clock of the service, or by the true one, from which that differs by so much at most.
fn is_early(world: &World, log: &Log, end: &ProcessFinished) -> bool {
    let Some(deadline) = log.expires_at() else { return true };
    let finished_at = end.finished_at.as_ref().and_then(from_timestamp);
    let furthest = Duration::from_millis(world.profile().clock_jump);
    finished_at.is_none_or(|at| at < deadline) || world.server_time() + furthest < deadline
}

fn is_of_another(log: &Log, end: &ProcessFinished) -> bool {
    let is_other_dossier = !end.dossier_id.is_empty() && !log.uses(&end.dossier_id);
    let known = log.process().filter(|known| !known.is_empty());
    is_other_dossier || known.is_some_and(|known| known != end.process_id)
}
