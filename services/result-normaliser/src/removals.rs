//! On `process-finished` and `erasure-requested`: remove what must not stay, here and in Assure.
//!
//! Each step can be repeated, and is until it is done: Assure refuses to delete what a provider is
//! still at work on.

use std::time::Duration;

use proofline_assure::{Client, Error as AssureError};
use proofline_events::{Event, Recorded, VerificationKey, v1::Outcome};
use proofline_journal::{
    ExecuteError, Journal, TimerKind, Vault,
    worker::{Delivery, Failure, Handled},
};
use proofline_service::clock;
use proofline_verification::{Command, End, Reason, Verification};

/// When to try again to delete what Assure refuses to delete: after this, then ever longer, …
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// … up to this.
const LAST_RETRY: Duration = Duration::from_secs(3600);
/// When to look again whether a verification that is to be erased has its end.
const AWAIT_END: Duration = Duration::from_secs(1);

/// What the handler uses.
pub(crate) struct Removals {
    pub(crate) journal: Journal,
    pub(crate) vault: Vault,
    pub(crate) assure: Client,
    /// How long a sealed result is kept after the end.
    pub(crate) result_retention: Duration,
}

impl Removals {
    pub(crate) async fn handle(&self, delivery: Delivery<Recorded>) -> Result<Handled, Failure> {
        let Recorded { key, event, .. } = &delivery.message;
        let history = self.journal.read(key).await?;
        let Some(verification) = history.verification else { return Ok(Handled::Done) };
        let result = if matches!(event, Event::ErasureRequested(_)) {
            self.erase(&verification).await
        } else {
            self.after_end(&verification).await
        };
        match result {
            Ok(handled) => Ok(handled),
            Err(Problem::Assure(error)) => Self::again(key, &error, delivery.deliveries),
            Err(Problem::Failure(failure)) => Err(failure),
        }
    }

    /// The result's time begins; what a creation that failed or was discarded left in Assure goes.
    async fn after_end(&self, verification: &Verification) -> Result<Handled, Problem> {
        let (key, Some(end)) = (&verification.key, &verification.end) else {
            return Err(Failure::retry("the end is not in the log yet").into());
        };
        let expires_at = end.finished_at + self.result_retention;
        self.journal.set_timer(TimerKind::ExpireResult, key, expires_at).await?;
        match leftover(verification, end) {
            Leftover::Nothing => {}
            Leftover::Process => self.delete_process(verification).await?,
            Leftover::Everything => self.delete_dossier(verification).await?,
        }
        Ok(Handled::Done)
    }

    /// The data key goes first: from then on nothing of it can be read, whatever Assure answers.
    async fn erase(&self, verification: &Verification) -> Result<Handled, Problem> {
        let key = &verification.key;
        self.vault.erase(key).await?;
        if verification.end.is_none() {
            return Ok(Handled::Again(AWAIT_END));
        }
        self.delete_process(verification).await?;
        self.delete_dossier(verification).await?;
        match self.journal.execute(key, Command::RecordErasure, clock::now()).await {
            Ok(_) => {
                tracing::info!(verification.id = %key.id, tenant = %key.tenant, "data erased");
                Ok(Handled::Done)
            }
            Err(ExecuteError::Journal(error)) => Err(error.into()),
            Err(ExecuteError::Refused(refusal)) => Err(Failure::retry(refusal).into()),
        }
    }

    async fn delete_process(&self, verification: &Verification) -> Result<(), Problem> {
        if let (Some(dossier_id), Some(process)) = (&verification.dossier_id, &verification.process)
        {
            self.assure.delete_process(dossier_id, &process.process_id).await?;
        }
        Ok(())
    }

    /// The dossier with all that is in it, also one whose creation was not recorded.
    async fn delete_dossier(&self, verification: &Verification) -> Result<(), Problem> {
        let found = match &verification.dossier_id {
            Some(dossier_id) => Some(dossier_id.clone()),
            None => {
                let found = self.assure.find_dossier(verification.key.id.as_str()).await?;
                found.map(|dossier| dossier.dossier_id)
            }
        };
        if let Some(dossier_id) = found {
            self.assure.delete_dossier(&dossier_id).await?;
        }
        Ok(())
    }

    /// A refusal may be one for now, as while a provider is at work.
    fn again(
        key: &VerificationKey,
        error: &AssureError,
        deliveries: i64,
    ) -> Result<Handled, Failure> {
        match error {
            AssureError::Refused(refusal) => {
                let doublings = u32::try_from(deliveries.clamp(1, 16) - 1).unwrap_or(0);
                let delay = (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY);
                tracing::warn!(verification.id = %key.id, %refusal, delay_s = delay.as_secs(), "not deleted yet");
                Ok(Handled::Again(delay))
            }
            AssureError::Limited { .. }
            | AssureError::Unavailable { .. }
            | AssureError::Credentials
            | AssureError::SourceBroke => Err(Failure::Retry {
                after: error.retry_after().flatten(),
                cause: error.to_string(),
            }),
        }
    }
}

enum Leftover {
    Nothing,
    Process,
    Everything,
}

/// What an end leaves in Assure that nobody will ask for.
fn leftover(verification: &Verification, end: &End) -> Leftover {
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

enum Problem {
    Assure(AssureError),
    Failure(Failure),
}

impl From<AssureError> for Problem {
    fn from(error: AssureError) -> Self {
        Self::Assure(error)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<proofline_journal::Error> for Problem {
    fn from(error: proofline_journal::Error) -> Self {
        Self::Failure(error.into())
    }
}
