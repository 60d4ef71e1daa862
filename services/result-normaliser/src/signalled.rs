//! On a signal, a cancellation, a failed set-up, a refused start: look, and tell the end if it is
//! one.
//!
//! The result is sealed before the end is told, so that it can be fetched as soon as the end is
//! seen. A crash in between costs a second look, and nothing else.

use std::time::Duration;

use proofline_assure::{Client, Error as AssureError, Process};
use proofline_events::{
    Event, Recorded, VerificationKey, Word,
    v1::{CompletionSignalled, Outcome, SignalSource},
};
use proofline_journal::{
    DocumentKind, ExecuteError, Journal, Vault, VaultError,
    worker::{Delivery, Failure, Handled},
};
use proofline_service::clock;
use proofline_settings::Url;
use proofline_verification::{Command, Observation, Verification, decide, is_final};

use crate::document;

/// Get process may lag behind the callback that announces its status: look again after these.
const LOOK_AGAIN: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// What the handler uses.
pub(crate) struct Normaliser {
    pub(crate) journal: Journal,
    pub(crate) vault: Vault,
    pub(crate) assure: Client,
    pub(crate) api_url: Url,
}

/// What a look at Assure showed.
struct Look {
    observation: Observation,
    /// Get process' answer, if there was one.
    process: Option<Process>,
    /// When Assure can be asked again, if it could not be asked.
    error: Option<AssureError>,
}

impl Normaliser {
    pub(crate) async fn handle(&self, delivery: Delivery<Recorded>) -> Result<Handled, Failure> {
        let key = &delivery.message.key;
        let history = self.journal.read(key).await?;
        // Events age out after the verification's whole life: nothing is left to tell.
        let Some(verification) = history.verification else { return Ok(Handled::Done) };
        if verification.end.is_some() {
            return Ok(Handled::Done);
        }
        let look = self.look(&verification).await;
        let signal = signal_of(&delivery.message.event);
        let conclude = Command::Conclude {
            observation: look.observation.clone(),
            signal: signal.map(CompletionSignalled::source),
            result_url: self.result_url(key),
        };
        // Decided twice: here to know what to seal, and on the append, under its guard.
        let now = clock::now();
        let would_be = decide(key, Some(&verification), conclude.clone(), now);
        let Ok([Event::ProcessFinished(end)]) = would_be.as_deref() else {
            return self.not_yet(&look, signal, &delivery);
        };
        if let Some(process) = &look.process {
            self.seal(&verification, end.outcome(), process, now).await?;
        }
        match self.journal.execute(key, conclude, now).await {
            Ok(executed) => {
                if let Some(end) =
                    executed.verification.end.filter(|_| !executed.appended.is_empty())
                {
                    let (outcome, reason) =
                        (end.outcome.word(), end.reason.map(|reason| reason.code()));
                    tracing::info!(verification.id = %key.id, tenant = %key.tenant, outcome, reason, "process finished");
                }
                Ok(Handled::Done)
            }
            Err(ExecuteError::Refused(refusal)) => Err(Failure::retry(refusal)),
            Err(ExecuteError::Journal(error)) => Err(error.into()),
        }
    }

    async fn look(&self, verification: &Verification) -> Look {
        let nothing = |observation| Look { observation, process: None, error: None };
        if verification.setup_failure.is_some() {
            return nothing(Observation::NoProcess);
        }
        let (Some(dossier_id), Some(process)) = (&verification.dossier_id, &verification.process)
        else {
            return nothing(Observation::NoProcess);
        };
        match self.assure.get_process(dossier_id, &process.process_id).await {
            Ok(None) => nothing(Observation::Gone),
            Ok(Some(process)) => Look {
                observation: Observation::Status(process.status.clone()),
                process: Some(process),
                error: None,
            },
            Err(error) => {
                Look { observation: Observation::Unanswered, process: None, error: Some(error) }
            }
        }
    }

    /// There is no end yet: come again, or leave it to the next signal.
    fn not_yet(
        &self,
        look: &Look,
        signal: Option<&CompletionSignalled>,
        delivery: &Delivery<Recorded>,
    ) -> Result<Handled, Failure> {
        if let Some(error) = &look.error {
            let after = error.retry_after().flatten();
            return Err(Failure::Retry { after, cause: error.to_string() });
        }
        let claims_an_end = signal.is_some_and(|signal| {
            let claimed = &signal.claimed_status;
            signal.source() == SignalSource::Return || (!claimed.is_empty() && is_final(claimed))
        });
        let looks = usize::try_from(delivery.deliveries - 1).unwrap_or(usize::MAX);
        match LOOK_AGAIN.get(looks).filter(|_| claims_an_end) {
            Some(after) => Ok(Handled::Again(*after)),
            None => Ok(Handled::Done),
        }
    }

    async fn seal(
        &self,
        verification: &Verification,
        outcome: Outcome,
        process: &Process,
        now: time::OffsetDateTime,
    ) -> Result<(), Failure> {
        let kind = DocumentKind::Result(outcome);
        for shortened in document::ever_shorter(verification, outcome, process, now) {
            match self.vault.put(&verification.key, kind, &shortened).await {
                Ok(()) => return Ok(()),
                Err(VaultError::TooLarge) => {}
                // Erased, or restored from a backup without keys: the end is told all the same.
                Err(VaultError::KeyGone) => {
                    tracing::warn!(verification.id = %verification.key.id, "no data key: the result is not kept");
                    return Ok(());
                }
                Err(error @ VaultError::Unreadable(_)) => return Err(Failure::retry(error)),
                Err(VaultError::Journal(error)) => return Err(error.into()),
            }
        }
        tracing::error!(verification.id = %verification.key.id, "the result is too large to be kept");
        Ok(())
    }

    fn result_url(&self, key: &VerificationKey) -> String {
        let base = self.api_url.as_str().trim_end_matches('/');
        format!("{base}/v1/verifications/{}/result", key.id)
    }
}

fn signal_of(event: &Event) -> Option<&CompletionSignalled> {
    if let Event::CompletionSignalled(signal) = event { Some(signal) } else { None }
}
