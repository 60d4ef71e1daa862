//! On `submission-requested`: Start verification at Assure, once.
//!
//! The call is not idempotent and its answer to a repeat says little, so after a 4xx Get process
//! tells: a process that is still `pending` was refused, any other was started, perhaps by an
//! attempt of ours whose record was lost. As Get process may lag behind such an attempt, a repeat
//! asks it more than once.

use std::time::Duration;

use proofline_ambient::clock;
use proofline_assure::{Accounts, Client, Error as AssureError, Refusal};
use proofline_events::{EventType, Recorded, VerificationKey};
use proofline_journal::{
    DocumentKind, Due, ExecuteError, Journal, TimerKind, Vault, VaultError,
    topology::ACK_WAIT,
    worker::{Delivery, Failure, Handled},
};
use proofline_verification::{Command, Reason, Refused, Verification};
use serde_json::Value;

use crate::reconcile::first_check;

/// Get process may lag behind a start whose answer was lost: it is asked again after these.
const LOOK_AGAIN: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
];
/// The sequence of a replay, before which anything may have been tried.
const OF_A_REPLAY: u64 = 0;

/// What the handler uses.
pub(crate) struct Starter {
    pub(crate) journal: Journal,
    pub(crate) vault: Vault,
    pub(crate) assure: Accounts,
    /// How long after submission a process is left to its callback.
    pub(crate) grace: Duration,
}

impl Starter {
    pub(crate) async fn handle(&self, delivery: Delivery<Recorded>) -> Result<Handled, Failure> {
        let Recorded { key, sequence, envelope, .. } = &delivery.message;
        let journal = &self.journal;
        let history = journal.read_since(key, *sequence).await?;
        history.link_to_origin();
        let Some(verification) = history.verification else { return Ok(Handled::Done) };
        if verification.start.is_some() || verification.end.is_some() {
            return Ok(Handled::Done);
        }
        // A repeat sets the same time again, but never one that has passed: it may be set to a
        // later one by now.
        let at = first_check(envelope.time, self.grace);
        if delivery.deliveries == 1 || clock::now() < at {
            journal.reset_timer(TimerKind::Check, &Due { key: key.clone(), at, round: 0 }).await?;
        }
        let process_id = verification.process.as_ref().and_then(|process| process.id.as_ref());
        let (Some(dossier_id), Some(process_id)) = (&verification.dossier_id, process_id) else {
            return Err(Failure::retry("the process is not in the log yet"));
        };
        let sealed = self.parameters(&verification).await?;
        let assure = self.assure.of(key.tenant.as_str());
        let turn = assure.turn().await;
        // The promise: no start is begun after a discard that could be read. A replica may be
        // behind, so this is asked of the leader, and once it is our turn to call: what may come after it
        // is a fresh token, and that the pace is looked up.
        for discard in [EventType::CancellationRequested, EventType::ErasureRequested] {
            if journal.is_recorded(key, discard).await? {
                return Ok(Handled::Done);
            }
        }
        let is_elsewhere = verification.is_elsewhere(&assure.account_id());
        let started = turn.start_verification(dossier_id, process_id, sealed.as_ref()).await;
        let command = match started {
            Ok(()) => Command::RecordStart,
            Err(AssureError::Refused(refusal)) => {
                let may_be_repeat = || {
                    // Of an old message somebody else may have had a delivery, while we stood still.
                    let is_old = clock::now() - envelope.time > ACK_WAIT;
                    delivery.deliveries > 1 || *sequence == OF_A_REPLAY || is_old
                };
                let process = (dossier_id.as_str(), process_id.as_str());
                after_refusal(assure, process, may_be_repeat, is_elsewhere, refusal).await?
            }
            Err(error) => return Err(retry(&error)),
        };
        let handled = record(journal, key, command).await?;
        self.discard_parameters(&verification).await;
        Ok(handled)
    }

    /// What the provider is to be given, opened.
    async fn parameters(&self, verification: &Verification) -> Result<Option<Value>, Failure> {
        let Some(id) = parameters_id(verification) else { return Ok(None) };
        let kind = DocumentKind::StartParameters(id);
        match self.vault.get(&verification.key, kind).await {
            Ok(Some(document)) => serde_json::from_slice(&document)
                .map(Some)
                .map_err(|_| Failure::reject("unreadable-parameters", "they are not JSON")),
            // Used already, or erased: Assure's answer tells.
            Ok(None) | Err(VaultError::KeyGone) => Ok(None),
            Err(VaultError::Journal(error)) => Err(error.into()),
            Err(error @ (VaultError::Unreadable(_) | VaultError::TooLarge)) => {
                Err(Failure::retry(error))
            }
        }
    }

    /// Used: they need not be kept. What is left now goes at the end.
    async fn discard_parameters(&self, verification: &Verification) {
        let Some(id) = parameters_id(verification) else { return };
        let kind = DocumentKind::StartParameters(id);
        if let Err(error) = self.vault.discard(&verification.key, kind).await {
            tracing::warn!(verification.id = %verification.key.id, %error, "used parameters stay sealed until the end");
        }
    }
}

fn parameters_id(verification: &Verification) -> Option<&str> {
    verification.submitted.as_ref()?.parameters_id.as_deref()
}

async fn after_refusal(
    assure: &Client,
    (dossier_id, process_id): (&str, &str),
    may_be_repeat: impl Fn() -> bool,
    is_elsewhere: bool,
    refusal: Refusal,
) -> Result<Command, Failure> {
    let mut looks_again = LOOK_AGAIN.iter();
    let reason = loop {
        let process = assure.get_process(dossier_id, process_id).await;
        match process.map_err(|error| retry(&error))? {
            None if is_elsewhere => {
                return Err(Failure::retry(
                    "the process is in another account: is the tenants file the same everywhere?",
                ));
            }
            None => break Reason::ProcessGone,
            Some(process) if process.status.eq_ignore_ascii_case("pending") => {
                // Judged after the answer, which may have been long in coming.
                let Some(after) = looks_again.next().filter(|_| may_be_repeat()) else {
                    break Reason::StartRefused;
                };
                pause(*after).await;
            }
            Some(_) => return Ok(Command::RecordStart),
        }
    };
    Ok(Command::RefuseStart(Refused {
        reason,
        http_status: Some(refusal.status),
        assure_trace_id: refusal.trace_id,
    }))
}

async fn record(
    journal: &Journal,
    key: &VerificationKey,
    command: Command,
) -> Result<Handled, Failure> {
    let is_refused = matches!(command, Command::RefuseStart(_));
    match journal.execute(key, command, clock::now()).await {
        Ok(executed) if executed.appended.is_empty() => Ok(Handled::Done),
        Ok(_) => {
            let what = if is_refused { "start refused" } else { "verification started" };
            tracing::info!(verification.id = %key.id, tenant = %key.tenant, "{what}");
            Ok(Handled::Done)
        }
        // It ended meanwhile: there is nothing left to record.
        Err(ExecuteError::Refused(_)) => Ok(Handled::Done),
        Err(ExecuteError::Journal(error)) => Err(error.into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "what Get process lags behind by is a time")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Assure is tried until the deadline decides.
fn retry(error: &AssureError) -> Failure {
    Failure::Retry { after: error.retry_after().flatten(), cause: error.to_string() }
}
