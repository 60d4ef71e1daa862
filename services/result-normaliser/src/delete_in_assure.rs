//! When something is to be deleted in Assure: what a creation that failed or was discarded left, all
//! of an erased verification, or what has been there long enough after the end. Tried until it is done: Assure refuses to delete what a provider
//! is still at work on.

use std::time::Duration;

use proofline_assure::{Accounts, Client, Error as AssureError};
use proofline_events::v1::Outcome;
use proofline_journal::{
    Due, ExecuteError, Journal, TimerKind,
    worker::{Delivery, Failure, Handled},
};
use proofline_service::clock;
use proofline_verification::{Command, End, Reason, Verification};

/// When to try again what did not work: after this, then ever longer, …
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// … up to this.
const LAST_RETRY: Duration = Duration::from_secs(3600);
/// The same for whether a verification that is to be erased has its end.
const LAST_LOOK: Duration = Duration::from_secs(30);

/// What an end leaves in Assure that nobody will ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leftover {
    Nothing,
    Process,
    Everything,
}

pub(crate) fn leftover(verification: &Verification, end: &End) -> Leftover {
    match (end.outcome, end.reason) {
        (_, Some(Reason::SetupRefused | Reason::SetupFailed)) => Leftover::Everything,
        (Outcome::Canceled, Some(Reason::CanceledByCaller)) => match verification.process {
            Some(_) => Leftover::Process,
            // Discarded while it was being set up: what was created then is not recorded.
            None => Leftover::Everything,
        },
        _ => Leftover::Nothing,
    }
}

pub(crate) async fn handle(
    journal: Journal,
    accounts: Accounts,
    delete_after: Option<Duration>,
    delivery: Delivery<Due>,
) -> Result<Handled, Failure> {
    let due = delivery.message;
    let history = journal.read_latest(&due.key).await?;
    let Some(verification) = history.verification else { return Ok(Handled::Done) };
    let Some(end) = &verification.end else {
        // To be erased, and unfinished: its end is on its way.
        return again(&journal, due, LAST_LOOK).await;
    };
    let is_time = |after| clock::now() >= end.finished_at + after;
    let what = match verification.is_erasure_requested || delete_after.is_some_and(is_time) {
        true => Leftover::Everything,
        false => leftover(&verification, end),
    };
    let assure = accounts.of(due.key.tenant.as_str());
    match delete(assure, &verification, what).await {
        Ok(()) if verification.is_erasure_requested => record(&journal, &verification).await,
        Ok(()) if what == Leftover::Everything => Ok(Handled::Done),
        Ok(()) => {
            if let Some(after) = delete_after {
                // Not yet by our clock or by the settings of now, or only the process was to go.
                let at = (end.finished_at + after).max(clock::now() + FIRST_RETRY);
                set(&journal, Due { at, round: 0, key: due.key }).await?;
            }
            Ok(Handled::Done)
        }
        Err(error) => {
            tracing::warn!(verification.id = %due.key.id, %error, "not deleted in Assure yet");
            again(&journal, due, LAST_RETRY).await
        }
    }
}

/// Sets the timer. An erasure that was asked for meanwhile must not wait for a later time.
pub(crate) async fn set(journal: &Journal, due: Due) -> Result<(), Failure> {
    journal.reset_timer(TimerKind::DeleteInAssure, &due).await?;
    let now = clock::now();
    if due.at > now {
        let latest = journal.read_latest(&due.key).await?;
        let is_to_be_erased = |v: &Verification| v.is_erasure_requested && !v.is_erased;
        if latest.verification.as_ref().is_some_and(is_to_be_erased) {
            let at_once = Due { at: now, ..due };
            journal.reset_timer(TimerKind::DeleteInAssure, &at_once).await?;
        }
    }
    Ok(())
}

async fn delete(
    assure: &Client,
    verification: &Verification,
    what: Leftover,
) -> Result<(), AssureError> {
    let dossier_id = match (&verification.dossier_id, what) {
        (Some(dossier_id), _) => Some(dossier_id.clone()),
        // Also a dossier whose creation was not recorded.
        (None, Leftover::Everything) => {
            let found = assure.find_dossier(verification.key.id.as_str()).await?;
            found.map(|dossier| dossier.dossier_id)
        }
        (None, Leftover::Nothing | Leftover::Process) => None,
    };
    let Some(dossier_id) = dossier_id else { return Ok(()) };
    if let (Some(process), Leftover::Process | Leftover::Everything) = (&verification.process, what)
    {
        let was_there = assure.delete_process(&dossier_id, &process.process_id).await?;
        ours(assure, verification, was_there || what == Leftover::Everything)?;
    }
    if what == Leftover::Everything {
        let was_there = assure.delete_dossier(&dossier_id).await?;
        ours(assure, verification, was_there)?;
    }
    Ok(())
}

/// That a client of another account does not find it does not mean that it is gone.
fn ours(assure: &Client, verification: &Verification, was_there: bool) -> Result<(), AssureError> {
    if was_there || !verification.is_elsewhere(&assure.account_id()) {
        return Ok(());
    }
    let cause = "what is to be deleted is in another account";
    Err(AssureError::Unavailable { cause, may_have_happened: false })
}

async fn record(journal: &Journal, verification: &Verification) -> Result<Handled, Failure> {
    let key = &verification.key;
    match journal.execute(key, Command::RecordErasure, clock::now()).await {
        Ok(_) => {
            tracing::info!(verification.id = %key.id, tenant = %key.tenant, "data erased");
            Ok(Handled::Done)
        }
        Err(ExecuteError::Journal(error)) => Err(error.into()),
        Err(ExecuteError::Refused(refusal)) => Err(Failure::retry(refusal)),
    }
}

/// Sets the timer again and lets this one go, so that it waits in no consumer's place.
async fn again(journal: &Journal, due: Due, longest: Duration) -> Result<Handled, Failure> {
    let pause = (FIRST_RETRY * 2_u32.pow(due.round.min(16))).min(longest);
    let next = Due { key: due.key, at: clock::now() + pause, round: due.round + 1 };
    journal.reset_timer(TimerKind::DeleteInAssure, &next).await?;
    Ok(Handled::Done)
}
