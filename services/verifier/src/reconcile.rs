//! Reconciliation: what should have heard of its end by now is looked up, all together.
//!
//! Each verification has a check timer. In each interval one replica, whichever takes the round,
//! collects all checks that are due and asks Assure once for the account's open processes. An
//! overdue process that is not among them is final, unknown or gone: a signal makes the
//! result-normaliser look at that one. The others are left alone for a while, each time longer.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream};
use proofline_ambient::clock;
use proofline_assure::{Accounts, Client, Error as AssureError, Which, wire::ListedProcess};
use proofline_events::v1::SignalSource;
use proofline_journal::{
    AccountPace, Due, DueTimers, Error, Journal, Signal, SignalSink, Taken, TimerKind,
    worker::Rejection,
};
use proofline_service::Shutdown;
use proofline_verification::{Candidate, Verification, is_final, the_one_that_counts};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::interval;

use crate::overdue::OverdueCount;

/// How many checks one round takes; what is left waits for the next.
const MAX_CHECKS: usize = 10_000;
/// How many verifications are read, signalled and set again at once.
const CONCURRENCY: usize = 32;
/// When to try again what NATS did not allow.
const RETRY: Duration = Duration::from_secs(1);
/// The longest time an open process is left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// How many pages of a list are read: as many as Assure has, …
const MAX_PAGES: u64 = 100;
/// … and of all processes, ended ones included, a few: where there are more, each capture is looked at
/// by itself.
const MAX_PAGES_OF_ALL: u64 = 10;
/// Assure's clock may differ from ours by this.
const CLOCK_SKEW: time::Duration = time::Duration::minutes(10);

/// What a round uses.
pub(crate) struct Reconciler {
    pub(crate) journal: Journal,
    pub(crate) signals: SignalSink,
    pub(crate) checks: DueTimers,
    pub(crate) assure: Accounts,
    pub(crate) pace: AccountPace,
    pub(crate) interval: Duration,
    pub(crate) overdue: OverdueCount,
}

/// A check that is due, and the open verification it is for.
struct Overdue {
    taken: Taken,
    verification: Verification,
}

/// What Assure listed of an account's processes.
#[derive(Default)]
struct Listed {
    open: HashSet<String>,
    /// By dossier.
    in_dossier: HashMap<String, Vec<Candidate>>,
    /// There were too many to list all of those that have ended.
    lacks_some: bool,
}

impl Listed {
    fn add(&mut self, processes: Vec<ListedProcess>) {
        for process in processes {
            if !is_final(&process.status) {
                self.open.insert(process.process_id.clone());
            }
            let Some(dossier) = process.dossier else { continue };
            let there = self.in_dossier.entry(dossier.dossier_id).or_default();
            // It may stand on both lists; the later one is newer.
            there.retain(|candidate| candidate.id != process.process_id);
            there.push(Candidate {
                id: process.process_id,
                provider: process.provider,
                process_type: process.process_type.unwrap_or_default(),
                status: process.status,
                created_at: process.created_at.unwrap_or_default(),
            });
        }
    }

    fn own(&self, verification: &Verification) -> Vec<Candidate> {
        let there = verification.dossier_id.as_ref().and_then(|id| self.in_dossier.get(id));
        verification.own_processes(there.cloned().unwrap_or_default())
    }

    /// Whether a look at it may show an end. A capture's processes are told by its dossier; there may
    /// be none yet, which is no reason to look.
    fn may_have_ended(&self, verification: &Verification) -> bool {
        if let Some(id) = verification.process.as_ref().and_then(|process| process.id.as_ref()) {
            return !self.open.contains(id);
        }
        match the_one_that_counts(&self.own(verification)) {
            Some(counts) => is_final(&counts.status),
            None => self.lacks_some,
        }
    }
}

impl Reconciler {
    /// Takes rounds until stopped.
    pub(crate) async fn run(self, stop: Shutdown) {
        let mut tick = interval(self.interval);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let round = tokio::select! {
                biased;
                // What was taken comes again.
                () = stop.cancelled() => return,
                round = self.try_round() => round,
            };
            if let Err(error) = round {
                tracing::warn!(%error, "a round of reconciliation broke off; trying again");
                tick.reset_after(RETRY.min(self.interval));
            }
        }
    }

    async fn try_round(&self) -> Result<(), Error> {
        self.checks.probe().await?;
        if self.pace.begin_round(self.interval).await? {
            let round = self.round().await;
            self.overdue.round(round.is_ok());
            round?;
        }
        Ok(())
    }

    async fn round(&self) -> Result<(), Error> {
        let taken = self.checks.take(MAX_CHECKS).await?;
        let overdue = stream::iter(taken).map(|taken| self.still_open(taken));
        let overdue: Vec<_> = overdue.buffer_unordered(CONCURRENCY).collect().await;
        let overdue: Vec<Overdue> =
            overdue.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let mut by_account: BTreeMap<String, (&Client, Vec<Overdue>)> = BTreeMap::new();
        for overdue in overdue {
            let client = self.assure.of(overdue.verification.key.tenant.as_str());
            let account = by_account.entry(client.account_id());
            account.or_insert_with(|| (client, Vec::new())).1.push(overdue);
        }
        // At once: an account that is slow must not hold up the others.
        let looked_up =
            by_account.into_values().map(|(assure, overdue)| self.look_up(assure, overdue));
        join_all(looked_up).await.into_iter().collect()
    }

    /// Asks one account for its processes, all at once.
    async fn look_up(&self, assure: &Client, overdue: Vec<Overdue>) -> Result<(), Error> {
        let since = overdue.iter().map(|overdue| overdue.verification.requested_at).min();
        let Some(since) = since else { return Ok(()) };
        let listed = match self.list(assure, since, &overdue).await {
            Ok(listed) => Some(listed),
            // An account without the list call: each one is looked at by itself.
            Err(AssureError::Refused(refusal)) => {
                tracing::warn!(%refusal, "Assure does not list processes: each is looked up by itself");
                None
            }
            Err(error) => {
                tracing::warn!(%error, overdue = overdue.len(), "overdue processes could not be looked up; next time");
                return self.leave_for_next_round(overdue).await;
            }
        };
        let total = overdue.len();
        let settled = stream::iter(overdue).map(|overdue| self.settle(overdue, listed.as_ref()));
        let settled: Vec<_> = settled.buffer_unordered(CONCURRENCY).collect().await;
        let found = settled.into_iter().collect::<Result<Vec<_>, _>>()?;
        let found = found.into_iter().filter(|is_found| *is_found).count();
        tracing::info!(overdue = total, found, "reconciled with Assure");
        Ok(())
    }

    /// The account's open processes; where there are captures those that have ended, too, as only such
    /// a list tells whether their end-user has been there without a call for each.
    async fn list(
        &self,
        assure: &Client,
        since: OffsetDateTime,
        overdue: &[Overdue],
    ) -> Result<Listed, AssureError> {
        let since = since - CLOCK_SKEW;
        let is_capture = |overdue: &Overdue| {
            overdue.verification.process.as_ref().is_some_and(|process| process.id.is_none())
        };
        let mut listed = Listed::default();
        if overdue.iter().any(is_capture) {
            let all = assure.processes(Which::All, since, MAX_PAGES_OF_ALL).await?;
            listed.add(all.processes);
            if all.is_complete {
                return Ok(listed);
            }
            listed.lacks_some = true;
        }
        listed.add(assure.processes(Which::Open, since, MAX_PAGES).await?.processes);
        Ok(listed)
    }

    /// Drops a check that is no longer needed.
    async fn still_open(&self, taken: Taken) -> Result<Option<Overdue>, Error> {
        let history = match self.journal.read(&taken.due.key).await {
            Err(Error::Corrupt(mismatch)) => {
                // One log that can't be read must not hold up the others.
                taken.reject(&self.checks, &Rejection::unreadable_log(&mismatch)).await?;
                return Ok(None);
            }
            history => history?,
        };
        let Some(verification) = history.verification.filter(|v| v.end.is_none()) else {
            self.overdue.ended(&taken.due.key.id);
            taken.done().await?;
            return Ok(None);
        };
        if verification.process.is_none() {
            // A repeat may yet complete its creation.
            self.set_again(&taken, &verification).await?;
            taken.done().await?;
            return Ok(None);
        }
        Ok(Some(Overdue { taken, verification }))
    }

    /// Signals what may have ended; sets the check again in either case, in case the signal leads to
    /// no end.
    async fn settle(&self, overdue: Overdue, listed: Option<&Listed>) -> Result<bool, Error> {
        let Overdue { taken, verification } = overdue;
        let key = &verification.key;
        let now = clock::now();
        let is_found = listed.is_none_or(|listed| listed.may_have_ended(&verification));
        if is_found {
            let due = taken.due.at.format(&Rfc3339).unwrap_or_default();
            let signal = Signal::new(format!("reconciliation.{due}"), SignalSource::Reconciliation);
            self.signals.append(key, signal, now).await?;
            tracing::info!(verification.id = %key.id, tenant = %key.tenant, "no longer open at Assure, and not heard of");
        }
        let next = self.set_again(&taken, &verification).await?;
        self.overdue.looked_up(&key.id, is_found, next);
        taken.done().await?;
        Ok(is_found)
    }

    /// After a longer pause than the one before, unless the deadline comes first; when that is.
    async fn set_again(
        &self,
        taken: &Taken,
        verification: &Verification,
    ) -> Result<OffsetDateTime, Error> {
        let round = taken.due.round.saturating_add(1);
        let at = clock::now() + pause(self.interval, round);
        if at < verification.request.expires_at {
            let next = Due { key: verification.key.clone(), at, round };
            self.journal.reset_timer(TimerKind::Check, &next).await?;
        }
        Ok(at)
    }

    /// A list request that failed doesn't count.
    async fn leave_for_next_round(&self, overdue: Vec<Overdue>) -> Result<(), Error> {
        for overdue in overdue {
            overdue.taken.later(self.interval / 2).await?;
        }
        Ok(())
    }
}

/// Two intervals after the first look, then four, … at most an hour.
fn pause(interval: Duration, round: u32) -> Duration {
    interval.saturating_mul(2_u32.saturating_pow(round)).min(LONGEST_PAUSE).max(interval)
}

/// When a verification that was submitted then is looked up for the first time.
pub(crate) fn first_check(submitted_at: OffsetDateTime, grace: Duration) -> OffsetDateTime {
    submitted_at + grace
}

/// The same for one that was created then, and may never be submitted.
pub(crate) fn first_check_unsubmitted(
    created_at: OffsetDateTime,
    grace: Duration,
) -> OffsetDateTime {
    created_at + grace.saturating_mul(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_process_is_left_alone_ever_longer_up_to_an_hour() {
        let minute = Duration::from_secs(60);
        let pauses: Vec<_> = (1..=8).map(|round| pause(minute, round).as_secs() / 60).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause(Duration::from_secs(7200), 40), Duration::from_secs(7200));
    }
}
