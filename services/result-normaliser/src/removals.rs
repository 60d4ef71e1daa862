//! On `process-finished` and `erasure-requested`: remove what must not stay.
//!
//! What is here goes at once. What is in Assure is left to a timer, so that a deletion that Assure
//! refuses for hours holds up nothing else.

use std::time::Duration;

use proofline_ambient::clock;
use proofline_events::{Event, Recorded};
use proofline_journal::{
    DocumentKind, Due, Journal, TimerKind, Vault,
    worker::{Delivery, Failure, Handled},
};
use proofline_verification::Verification;

use crate::delete_in_assure::{self, Leftover, leftover};

/// The timers that a verification needs until its end.
const OF_WHAT_IS_OPEN: [TimerKind; 2] = [TimerKind::Deadline, TimerKind::Check];

/// What the handler uses.
pub(crate) struct Removals {
    pub(crate) journal: Journal,
    pub(crate) vault: Vault,
    /// How long a sealed result is kept after the end.
    pub(crate) result_retention: Duration,
    /// How long Assure keeps what it has after the end.
    pub(crate) delete_after: Option<Duration>,
}

impl Removals {
    pub(crate) async fn handle(&self, delivery: Delivery<Recorded>) -> Result<Handled, Failure> {
        let Recorded { key, sequence, event, .. } = &delivery.message;
        let history = self.journal.read_since(key, *sequence).await?;
        let Some(verification) = history.verification else { return Ok(Handled::Done) };
        let delete_at = if matches!(event, Event::ErasureRequested(_)) {
            // The data key goes first: from then on nothing of it can be read, whatever Assure does.
            self.vault.erase(key).await?;
            Some(clock::now())
        } else if let Some(end) =
            verification.end.as_ref().filter(|_| !verification.is_erasure_requested)
        {
            let expires_at = end.finished_at + self.result_retention;
            self.journal.set_timer(TimerKind::ExpireResult, key, expires_at).await?;
            self.discard_used(&verification).await?;
            match leftover(&verification, end) {
                Leftover::Nothing => self.delete_after.map(|after| end.finished_at + after),
                Leftover::Process | Leftover::Everything => Some(clock::now()),
            }
        } else {
            // Erased before its end: an attempt at creating it may have sealed something since.
            if verification.is_erasure_requested {
                self.vault.erase(key).await?;
            }
            None
        };
        if let Some(at) = delete_at {
            let due = Due { key: key.clone(), at, round: 0 };
            delete_in_assure::set(&self.journal, due).await?;
        }
        if matches!(event, Event::ProcessFinished(_)) {
            self.journal.remove_timers(&OF_WHAT_IS_OPEN, key).await?;
        }
        Ok(Handled::Done)
    }

    /// Removes what nobody needs any more once there is an end. What attempts that came to nothing have
    /// sealed goes with the data key.
    async fn discard_used(&self, verification: &Verification) -> Result<(), Failure> {
        let next_action = verification.process.as_ref().and_then(|it| it.next_action_id.as_ref());
        let parameters = verification.submitted.as_ref().and_then(|it| it.parameters_id.as_ref());
        let used = [
            next_action.map(|id| DocumentKind::NextAction(id)),
            parameters.map(|id| DocumentKind::StartParameters(id)),
        ];
        for document in used.into_iter().flatten() {
            self.vault.discard(&verification.key, document).await?;
        }
        Ok(())
    }
}
