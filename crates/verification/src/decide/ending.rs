//! Cancellation and the one end.

use proofline_events::{Event, timestamp, v1};
use time::{Duration, OffsetDateTime};
use v1::{Outcome, SignalSource};

use super::{Refusal, names};
use crate::{End, Observation, Reason, Start, Verification, is_final, observation::is_pending};

/// How long after the deadline Assure is still asked, when it can't be asked.
const GRACE_AFTER_DEADLINE: Duration = Duration::HOUR;

pub(super) fn cancel(state: &Verification) -> Result<Vec<Event>, Refusal> {
    let caused_the_end = |end: &End| end.reason == Some(Reason::CanceledByCaller);
    if state.is_cancellation_requested && state.end.as_ref().is_none_or(caused_the_end) {
        return Ok(Vec::new());
    }
    if state.end.is_some() || state.is_erasure_requested {
        return Err(Refusal::AlreadyFinished);
    }
    let (tenant, verification_id) = names(&state.key);
    Ok(vec![v1::CancellationRequested { tenant, verification_id }.into()])
}

/// A look at Assure.
pub(super) struct Look<'a> {
    pub(super) observation: &'a Observation,
    pub(super) process_id: Option<String>,
    pub(super) signal: Option<SignalSource>,
}

pub(super) fn conclude(
    state: &Verification,
    look: Look<'_>,
    result_url: String,
    now: OffsetDateTime,
) -> Vec<Event> {
    let Look { observation, process_id, signal } = look;
    if state.end.is_some() {
        return Vec::new();
    }
    let known = state.process.as_ref().and_then(|process| process.id.clone());
    let Some((outcome, reason)) = verdict(state, observation, now) else {
        return Vec::new();
    };
    // Of a hundred signals the oldest are dropped from the log, perhaps the deadline's: whatever
    // is handled after the deadline counts as the deadline.
    let signal = if signal.is_some() && state.is_past_deadline(now) {
        Some(SignalSource::Deadline)
    } else {
        signal
    };
    let assure_status = match observation {
        Observation::Status(status) => status.clone(),
        Observation::Gone | Observation::NoProcess | Observation::Unanswered => String::new(),
    };
    let (tenant, verification_id) = names(&state.key);
    let request = &state.request;
    vec![
        v1::ProcessFinished {
            tenant,
            verification_id,
            reference: request.reference.clone(),
            tags: request.tags.clone(),
            flow: request.flow.into(),
            outcome: outcome.into(),
            provider: request.provider.clone(),
            process_type: request.process_type.clone(),
            dossier_id: state.dossier_id.clone().unwrap_or_default(),
            process_id: known.or(process_id).unwrap_or_default(),
            assure_status,
            reason_code: reason.map_or(String::new(), |reason| reason.code().to_owned()),
            requested_at: Some(timestamp(state.requested_at)),
            finished_at: Some(timestamp(now)),
            signal_source: signal.unwrap_or(SignalSource::Unspecified).into(),
            result_url,
        }
        .into(),
    ]
}

/// The end this observation makes, if it makes one.
fn verdict(
    state: &Verification,
    observation: &Observation,
    now: OffsetDateTime,
) -> Option<(Outcome, Option<Reason>)> {
    if let Some(failure) = &state.setup_failure {
        return Some((Outcome::Failed, Some(failure.reason)));
    }
    let is_discarded = state.is_discarded();
    let is_past = state.is_past_deadline(now);
    let canceled = (Outcome::Canceled, Some(Reason::CanceledByCaller));
    let expired = |reason| Some((Outcome::Expired, Some(reason)));
    match observation {
        Observation::Status(status) if is_final(status) => Some(of_final_status(status)),
        Observation::Gone if is_discarded => Some(canceled),
        Observation::Gone => Some((Outcome::Failed, Some(Reason::ProcessGone))),
        Observation::Status(_) | Observation::NoProcess if is_discarded => Some(canceled),
        Observation::Status(status) => match state.start {
            Some(Start::Refused(reason)) if is_pending(status) => {
                Some((Outcome::Failed, Some(reason)))
            }
            _ if !is_past => None,
            _ if is_pending(status) => expired(Reason::NeverSubmitted),
            _ => expired(Reason::NoResult),
        },
        // A capture whose end-user has never been there.
        Observation::NoProcess if is_past && state.process.is_some() => {
            expired(Reason::NeverSubmitted)
        }
        Observation::NoProcess if is_past => expired(Reason::SetupFailed),
        Observation::NoProcess => None,
        Observation::Unanswered if now < state.request.expires_at + GRACE_AFTER_DEADLINE => None,
        Observation::Unanswered if is_discarded => Some(canceled),
        Observation::Unanswered if state.submitted.is_none() && state.waits_for_submission() => {
            expired(Reason::NeverSubmitted)
        }
        Observation::Unanswered => expired(Reason::NoResult),
    }
}

fn of_final_status(status: &str) -> (Outcome, Option<Reason>) {
    match status.to_ascii_lowercase().as_str() {
        "accepted" => (Outcome::Accepted, None),
        "rejected" => (Outcome::Rejected, None),
        "inconclusive" => (Outcome::Inconclusive, None),
        "canceled" | "cancelled" => (Outcome::Canceled, Some(Reason::CanceledByEndUser)),
        "failed" => (Outcome::Failed, Some(Reason::ProviderFailed)),
        _ => (Outcome::Inconclusive, Some(Reason::UnknownStatus)),
    }
}
