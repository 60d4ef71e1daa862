//! On a signal, a cancellation, a failed set-up, a refused start: look, and tell the end if it is
//! one.
//!
//! The result is sealed before the end is told, so that it can be fetched as soon as the end is
//! seen. A crash in between costs a second look, and nothing else.

mod late;

use std::time::Duration;

use proofline_ambient::clock;
use proofline_assure::{Accounts, Process};
use proofline_events::{
    Event, Recorded, VerificationKey, Word,
    v1::{CompletionSignalled, Outcome, SignalSource},
};
use proofline_journal::{
    DocumentKind, Due, ExecuteError, Journal, TimerKind, Vault, VaultError, told_an_end,
    topology::ACK_WAIT,
    worker::{Delivery, Failure, Handled},
};
use proofline_settings::Url;
use proofline_verification::{Command, Verification, decide, is_final};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{document, look::Look};

/// Get process may lag behind the callback that announces its status: look again after these.
const LOOK_AGAIN: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// However long Assure wants to be left alone, a signal is looked at again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A deadline that came early by our clock is looked at again this long after it.
const CLOCK_MARGIN: Duration = Duration::from_millis(50);

/// How often the end is decided anew because something came in between.
const MAX_CONFLICTS: usize = 10;

/// What the handler uses.
pub(crate) struct Normaliser {
    pub(crate) journal: Journal,
    pub(crate) vault: Vault,
    pub(crate) assure: Accounts,
    pub(crate) api_url: Url,
    /// How long after the end-user's return a process is left to its callback.
    pub(crate) callback_grace: Duration,
}

impl Normaliser {
    pub(crate) async fn handle(&self, delivery: Delivery<Recorded>) -> Result<Handled, Failure> {
        let begun_at = Instant::now();
        let mut has_sealed = false;
        let handled = self.conclude(&delivery, &mut has_sealed).await;
        // Else the signal comes again, and finds what is to be removed. It may have waited for us.
        let age = clock::now() - delivery.message.envelope.time;
        let others_may_have_it = begun_at.elapsed() > ACK_WAIT || age > ACK_WAIT;
        if has_sealed && handled.is_err() && others_may_have_it {
            self.remove_if_erased(&delivery.message.key).await;
        }
        handled
    }

    async fn conclude(
        &self,
        delivery: &Delivery<Recorded>,
        has_sealed: &mut bool,
    ) -> Result<Handled, Failure> {
        let Recorded { key, sequence, event, envelope, .. } = &delivery.message;
        // With less than what was delivered, a discard or a failed set-up would look like no end.
        let mut history = self.journal.read_since(key, *sequence).await?;
        history.link_to_origin();
        let Some(verification) = history.open() else {
            if let Some(over) = &history.verification {
                self.remove_late(over).await?;
                self.delete_late(over).await?;
            }
            return Ok(Handled::Done);
        };
        let (mut looked_at, mut look) = self.look(verification, None).await;
        let signal = signal_of(event);
        for _ in 0..MAX_CONFLICTS {
            let Some(verification) = history.open().cloned() else {
                if let Some(over) = &history.verification {
                    self.remove_late(over).await?;
                }
                return Ok(Handled::Done);
            };
            let conclude = Command::Conclude {
                observation: look.observation.clone(),
                process_id: look.process_id.clone(),
                signal: signal.map(CompletionSignalled::source),
                result_url: self.result_url(key),
            };
            // As of before the look: of a deadline that has passed since it knows nothing. Decided twice,
            // in the same state: here to know what to seal, then to append it.
            let now = looked_at;
            let would_be = decide(key, Some(&verification), conclude.clone(), now);
            let Ok([Event::ProcessFinished(end)]) = would_be.as_deref() else {
                if signal.is_some_and(|signal| signal.source() == SignalSource::Return) {
                    self.check_later(&verification, envelope.time, delivery.deliveries).await?;
                }
                return not_yet(&look, signal, &verification, envelope.time, now);
            };
            if let (Some(process_id), None) = (&look.process_id, &look.process) {
                // It was only seen on a list: an end has the whole answer sealed.
                (looked_at, look) = self.look(&verification, Some(process_id)).await;
                continue;
            }
            if let Some(process) = &look.process {
                *has_sealed = true;
                self.seal(&verification, end.outcome(), process, now).await?;
            }
            match self.journal.execute_once(key, history, conclude, now).await {
                Ok(Some(executed)) => {
                    tell(&executed.verification);
                    if let (Some(signal), false) = (signal, executed.appended.is_empty()) {
                        let age = Duration::try_from(clock::now() - envelope.time);
                        told_an_end(signal.source(), age.unwrap_or_default());
                    }
                    return Ok(Handled::Done);
                }
                // Something came in between: what was decided may no longer be right.
                Ok(None) => {
                    history = self.journal.read_latest(key).await?;
                    if let (false, Some(verification)) = (look.is_final(), history.open()) {
                        // It may have a process by now, or that one its final status.
                        (looked_at, look) = self.look(verification, None).await;
                    }
                }
                Err(ExecuteError::Refused(refusal)) => return Err(Failure::retry(refusal)),
                Err(ExecuteError::Journal(error)) => return Err(error.into()),
            }
        }
        Err(Failure::retry("the verification was changed too often in between"))
    }

    /// A look, and the time before it.
    async fn look(
        &self,
        verification: &Verification,
        which: Option<&str>,
    ) -> (OffsetDateTime, Look) {
        (clock::now(), Look::take(&self.assure, verification, which).await)
    }

    /// The end-user is back, and there is no end yet: from now on its callback is due. A repeat sets
    /// the same time again, but never one that has passed: it may be set to a later one by now.
    async fn check_later(
        &self,
        verification: &Verification,
        returned_at: OffsetDateTime,
        deliveries: i64,
    ) -> Result<(), Failure> {
        let at = returned_at + self.callback_grace;
        let is_wanted = at < verification.request.expires_at && verification.submitted.is_none();
        if is_wanted && (deliveries == 1 || clock::now() < at) {
            let due = Due { key: verification.key.clone(), at, round: 0 };
            self.journal.reset_timer(TimerKind::Check, &due).await?;
        }
        Ok(())
    }

    async fn seal(
        &self,
        verification: &Verification,
        outcome: Outcome,
        process: &Process,
        now: OffsetDateTime,
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

fn tell(verification: &Verification) {
    let Some(end) = &verification.end else { return };
    let key = &verification.key;
    let (outcome, reason) = (end.outcome.word(), end.reason.map(|reason| reason.code()));
    tracing::info!(verification.id = %key.id, tenant = %key.tenant, outcome, reason, "process finished");
}

/// There is no end yet: come again, or leave it to the next signal.
fn not_yet(
    look: &Look,
    signal: Option<&CompletionSignalled>,
    verification: &Verification,
    signalled_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Handled, Failure> {
    if let Some(error) = &look.error {
        // However long Assure wants to be left alone: the deadline must be heard of in time, and a
        // look that is not allowed costs no call.
        let after = error.retry_after().flatten().map(|after| after.min(LONGEST_PAUSE));
        return Err(Failure::Retry { after, cause: error.to_string() });
    }
    let is_deadline = signal.is_some_and(|signal| signal.source() == SignalSource::Deadline);
    if let Ok(early_by) = Duration::try_from(verification.request.expires_at - now)
        && is_deadline
    {
        // NATS' clock is ahead of ours. Nothing else will come after this signal.
        return Ok(Handled::Again(early_by + CLOCK_MARGIN));
    }
    let age = now - signalled_at;
    let claims_an_end = signal.is_some_and(|signal| {
        let claimed = &signal.claimed_status;
        signal.source() == SignalSource::Return || (!claimed.is_empty() && is_final(claimed))
    });
    match next_look(age).filter(|_| claims_an_end) {
        Some(after) => Ok(Handled::Again(after)),
        None => Ok(Handled::Done),
    }
}

/// When to look again at what a signal of this age claims, if it is worth it.
fn next_look(age: time::Duration) -> Option<Duration> {
    let mut until = Duration::ZERO;
    LOOK_AGAIN.into_iter().find(|after| {
        until += *after;
        age < until
    })
}

#[cfg(test)]
mod tests {
    use proofline_assure::Error as AssureError;
    use proofline_events::{Envelope, Service, timestamp, v1::VerificationRequested};
    use proofline_verification::{Observation, fold};
    use time::macros::datetime;

    use super::*;

    #[test]
    fn what_a_signal_claims_is_looked_up_again_ever_later_and_not_for_ever() {
        let next = |milliseconds| {
            next_look(time::Duration::milliseconds(milliseconds)).map(|after| after.as_secs())
        };
        let looks = [5, 1_020, 4_100, 14_300, 44_500].map(next);
        assert_eq!(looks, [Some(1), Some(3), Some(10), Some(30), None]);
    }

    const T0: OffsetDateTime = datetime!(2026-02-03 08:15:30 UTC);
    const DEADLINE: OffsetDateTime = datetime!(2026-02-04 08:15:30 UTC);

    fn requested() -> Verification {
        let key = VerificationKey::parse("acme", "vrf_00000000000000000000").unwrap();
        let event = Event::from(VerificationRequested {
            tenant: "acme".into(),
            verification_id: key.id.to_string(),
            requested_at: Some(timestamp(T0)),
            expires_at: Some(timestamp(DEADLINE)),
            ..Default::default()
        });
        let envelope = Envelope::new(event.event_type(), &key, Service::Intake, T0);
        fold(&[Recorded { sequence: 1, key, envelope, event }]).unwrap()
    }

    fn signal(source: SignalSource) -> CompletionSignalled {
        CompletionSignalled { source: source.into(), ..Default::default() }
    }

    fn look(error: Option<AssureError>) -> Look {
        Look { error, ..Look::of(Observation::NoProcess) }
    }

    #[test]
    fn a_deadline_that_came_early_by_our_clock_comes_again_after_it() {
        let early = DEADLINE - time::Duration::milliseconds(30);
        let heard =
            |source| not_yet(&look(None), Some(&signal(source)), &requested(), early, early);
        let Ok(Handled::Again(after)) = heard(SignalSource::Deadline) else {
            panic!("it was let go")
        };
        assert!(early + after > DEADLINE);
        assert_eq!(heard(SignalSource::Reconciliation), Ok(Handled::Done));
    }

    #[test]
    fn a_long_wish_to_be_left_alone_does_not_put_off_the_deadline() {
        let error = AssureError::Limited { retry_after: Duration::from_secs(6 * 3600) };
        let deadline = signal(SignalSource::Deadline);
        let answer = not_yet(&look(Some(error)), Some(&deadline), &requested(), DEADLINE, DEADLINE);
        let Err(Failure::Retry { after: Some(after), .. }) = answer else { panic!("{answer:?}") };
        assert!(after <= LONGEST_PAUSE);
    }
}
