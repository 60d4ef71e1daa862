//! Reconciliation: what should have heard of its end by now is looked up, all together.
//!
//! Each verification has a check timer. In each interval one replica, whichever takes the round,
//! collects all checks that are due and asks Assure once for the account's open processes. An
//! overdue process that is not among them is final, unknown or gone: a signal makes the
//! result-normaliser look at that one. The others are left alone for a while, each time longer.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream};
use proofline_assure::{Accounts, Client, Error as AssureError, Which, wire::ListedProcess};
use proofline_events::v1::SignalSource;
use proofline_journal::{
    AccountPace, Due, DueTimers, Error, Journal, Signal, SignalSink, Taken, TimerKind,
    worker::Rejection,
};
use proofline_service::{Shutdown, clock};
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
    /// All of them, by dossier.
    in_dossier: HashMap<String, Vec<Candidate>>,
}

impl Listed {
    /// Whether a look at it may show an end. A capture's processes are told by its dossier; there may
    /// be none yet, which is no reason to look.
    fn may_have_ended(&self, verification: &Verification) -> bool {
        if let Some(id) = verification.process.as_ref().and_then(|process| process.id.as_ref()) {
            return !self.open.contains(id);
        }
        let there = verification.dossier_id.as_ref().and_then(|id| self.in_dossier.get(id));
        let own = verification.own_processes(there.cloned().unwrap_or_default());
        the_one_that_counts(&own).is_some_and(|counts| is_final(&counts.status))
    }
}

impl FromIterator<ListedProcess> for Listed {
    fn from_iter<I: IntoIterator<Item = ListedProcess>>(all: I) -> Self {
        let mut listed = Self::default();
        for process in all {
            if !is_final(&process.status) {
                listed.open.insert(process.process_id.clone());
            }
            if let Some(dossier) = process.dossier {
                let there = listed.in_dossier.entry(dossier.dossier_id).or_default();
                there.push(Candidate {
                    id: process.process_id,
                    provider: process.provider,
                    status: process.status,
                    created_at: process.created_at.unwrap_or_default(),
                });
            }
        }
        listed
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
        let mut by_account: HashMap<String, (&Client, Vec<Overdue>)> = HashMap::new();
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

    /// Asks one account for all its open processes at once; for those that have ended too where there
    /// are captures, of which only such a list tells whether their end-user has been there.
    async fn look_up(&self, assure: &Client, overdue: Vec<Overdue>) -> Result<(), Error> {
        let since = overdue.iter().map(|overdue| overdue.verification.requested_at).min();
        let Some(since) = since else { return Ok(()) };
        let is_capture = |overdue: &Overdue| {
            overdue.verification.process.as_ref().is_some_and(|process| process.id.is_none())
        };
        let which = if overdue.iter().any(is_capture) { Which::All } else { Which::Open };
        let listed = match assure.processes(which, since - CLOCK_SKEW).await {
            Ok(listed) => Some(listed.into_iter().collect::<Listed>()),
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
        let is_open = |v: &Verification| v.end.is_none() && v.process.is_some();
        match history.verification.filter(is_open) {
            Some(verification) => Ok(Some(Overdue { taken, verification })),
            None => {
                self.overdue.ended(&taken.due.key.id);
                taken.done().await?;
                Ok(None)
            }
        }
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
        let round = taken.due.round.saturating_add(1);
        let next = Due { key: key.clone(), at: now + pause(self.interval, round), round };
        if next.at < verification.request.expires_at {
            self.journal.reset_timer(TimerKind::Check, &next).await?;
        }
        taken.done().await?;
        self.overdue.looked_up(&key.id, is_found, next.at);
        Ok(is_found)
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
