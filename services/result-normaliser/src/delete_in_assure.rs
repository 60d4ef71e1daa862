//! When something is to be deleted in Assure: what a creation that failed or was discarded left, all
//! of an erased verification, or what has been there long enough after the end. Tried until it is
//! done: Assure refuses to delete what a provider is still at work on.

use std::time::Duration;

use proofline_ambient::clock;
use proofline_assure::{Accounts, Client, Error as AssureError};
use proofline_events::{
    VerificationKey,
    v1::{Flow, Outcome},
};
use proofline_journal::{
    Dossiers, Due, Error as JournalError, ExecuteError, Journal, TimerKind,
    worker::{Delivery, Failure, Handled},
};
use proofline_verification::{Candidate, Command, End, Reason, Verification};

use crate::look::candidate;

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
            // Also a capture's, as far as its end-user has got.
            Some(_) => Leftover::Process,
            // Discarded while it was being set up: what was created then is not recorded.
            None => Leftover::Everything,
        },
        _ => Leftover::Nothing,
    }
}

/// What the handler uses.
pub(crate) struct Deletions {
    pub(crate) journal: Journal,
    pub(crate) assure: Accounts,
    pub(crate) dossiers: Dossiers,
    /// How long Assure keeps what it has after the end.
    pub(crate) delete_after: Option<Duration>,
}

/// Why something is still there.
enum Undone {
    Assure(AssureError),
    Journal(JournalError),
}

impl Deletions {
    pub(crate) async fn handle(&self, delivery: Delivery<Due>) -> Result<Handled, Failure> {
        let due = delivery.message;
        let journal = &self.journal;
        let history = journal.read_latest(&due.key).await?;
        let Some(verification) = history.verification else { return Ok(Handled::Done) };
        let Some(end) = &verification.end else {
            // To be erased, and unfinished: its end is on its way.
            return again(journal, due, LAST_LOOK).await;
        };
        let is_time = |after| clock::now() >= end.finished_at + after;
        let what = match verification.is_erasure_requested || self.delete_after.is_some_and(is_time)
        {
            true => Leftover::Everything,
            false => leftover(&verification, end),
        };
        match self.delete(&verification, what).await {
            Ok(()) if verification.is_erasure_requested => record(journal, &verification).await,
            Ok(()) if what == Leftover::Everything => Ok(Handled::Done),
            Ok(()) => {
                if let Some(after) = self.delete_after {
                    // Not yet by our clock or by the settings of now, or only the process was to go.
                    let at = (end.finished_at + after).max(clock::now() + FIRST_RETRY);
                    set(journal, Due { at, round: 0, key: due.key }).await?;
                }
                Ok(Handled::Done)
            }
            Err(Undone::Journal(error)) => Err(error.into()),
            Err(Undone::Assure(error)) => {
                tracing::warn!(verification.id = %due.key.id, %error, "not deleted in Assure yet");
                again(journal, due, LAST_RETRY).await
            }
        }
    }

    async fn delete(&self, verification: &Verification, what: Leftover) -> Result<(), Undone> {
        if what == Leftover::Nothing {
            return Ok(());
        }
        let assure = self.assure.of(verification.key.tenant.as_str());
        let Some(dossier_id) = self.dossier_of(assure, verification).await? else {
            return Ok(());
        };
        self.delete_processes(assure, verification, &dossier_id, what).await?;
        if what == Leftover::Everything {
            let VerificationKey { tenant, id } = &verification.key;
            let is_first = verification.request.same_dossier_as.is_none();
            // A shared dossier goes with the last of those who share it.
            if self.dossiers.leave(tenant, &dossier_id, id, is_first).await? {
                let was_there = assure.delete_dossier(&dossier_id).await?;
                ours(assure, verification, was_there)?;
            }
        }
        Ok(())
    }

    /// Also a dossier whose creation, or whose use for this verification, was not recorded.
    async fn dossier_of(
        &self,
        assure: &Client,
        verification: &Verification,
    ) -> Result<Option<String>, Undone> {
        if let Some(dossier_id) = &verification.dossier_id {
            return Ok(Some(dossier_id.clone()));
        }
        let VerificationKey { tenant, id } = &verification.key;
        if let Some(other) = &verification.request.same_dossier_as {
            let other = VerificationKey { tenant: tenant.clone(), id: other.clone() };
            let other = self.journal.read_latest(&other).await?.verification;
            return Ok(other.and_then(|other| other.dossier_id));
        }
        let found = assure.find_dossier(id.as_str()).await?;
        Ok(found.map(|dossier| dossier.dossier_id))
    }

    /// The process that is known; and those that are not: a capture may have several, and one may
    /// have been created without being recorded, also beside one that was.
    async fn delete_processes(
        &self,
        assure: &Client,
        verification: &Verification,
        dossier_id: &str,
        what: Leftover,
    ) -> Result<(), Undone> {
        let known = verification.process.as_ref().and_then(|process| process.id.as_ref());
        if let Some(process_id) = known {
            let was_there = assure.delete_process(dossier_id, process_id).await?;
            ours(assure, verification, was_there || what == Leftover::Everything)?;
        }
        if known.is_some()
            && verification.request.flow != Flow::Capture
            && what != Leftover::Everything
        {
            return Ok(());
        }
        if verification.dossier_id.is_none() && verification.request.same_dossier_as.is_some() {
            // That it uses the dossier is recorded before it makes anything there.
            return Ok(());
        }
        let others = assure.processes_of(dossier_id).await?;
        ours(assure, verification, others.is_some() || what == Leftover::Everything)?;
        let others = others.unwrap_or_default().into_iter().map(candidate).collect();
        for own in self.own_of(verification, dossier_id, others).await? {
            assure.delete_process(dossier_id, &own.id).await?;
        }
        Ok(())
    }

    /// Those of the processes in a dossier that are this verification's: neither of one before it
    /// nor of one after it. Listed first, then asked who came later, so that whoever has written
    /// nothing down by now has nothing on the list.
    async fn own_of(
        &self,
        verification: &Verification,
        dossier_id: &str,
        all: Vec<Candidate>,
    ) -> Result<Vec<Candidate>, Undone> {
        let mut own = verification.own_processes(all);
        let VerificationKey { tenant, id } = &verification.key;
        let members = self.dossiers.members(tenant, dossier_id).await?.ids;
        // One that has left the list may have something there again: its end-user has kept the
        // address of a page. Who came later is then told by the time of their request.
        let place = members.iter().position(|member| member == id);
        for other in &members[place.map_or(0, |place| place + 1)..] {
            let other = VerificationKey { tenant: tenant.clone(), id: other.clone() };
            let Some(other) = self.journal.read_latest(&other).await?.verification else {
                // Nobody knows what is whose any more: it goes with the dossier.
                return Ok(Vec::new());
            };
            let is_later = place.is_some() || other.requested_at > verification.requested_at;
            if is_later && other.dossier_id.is_some() {
                own.retain(|process| other.earlier_process_ids.contains(&process.id));
                break;
            }
        }
        Ok(own)
    }
}

impl From<AssureError> for Undone {
    fn from(error: AssureError) -> Self {
        Self::Assure(error)
    }
}

impl From<JournalError> for Undone {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
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
