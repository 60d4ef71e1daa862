//! What became of a message, and what that means to the server.

use std::time::Duration;

use async_nats::jetstream::AckKind;

use proofline_ambient::chance;
use proofline_events::Mismatch;

use crate::Error;

/// A message whose handler has hit a bug so often is given up.
pub(super) const MAX_BUGS: u32 = 5;
/// The first retry comes after about this long, each further one after twice the time, up to …
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// … this.
const LAST_RETRY: Duration = Duration::from_secs(30);

/// A message that was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Nothing is left to do; also for what had been done before.
    Done,
    /// It is to come again after this time.
    Again(Duration),
}

/// A message that was not handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Something it needs is away. Tried until the verification's deadline decides.
    Retry {
        /// When it may help to try again, if known.
        after: Option<Duration>,
        /// For people; no personal data.
        cause: String,
    },
    /// It can never be handled.
    Reject(Rejection),
    /// The handler panicked.
    Bug,
}

/// Why a message becomes a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Reason code, in kebab case.
    pub code: &'static str,
    /// For people; no personal data.
    pub detail: String,
}

impl Rejection {
    /// The message is not what its subject says.
    pub(super) fn unreadable(detail: impl Into<String>) -> Self {
        Self { code: "unreadable", detail: detail.into() }
    }
}

impl Rejection {
    /// The log of the verification holds an event that can't be read.
    pub fn unreadable_log(mismatch: &Mismatch) -> Self {
        Self { code: "unreadable-log", detail: mismatch.to_string() }
    }
}

impl Failure {
    /// It can never be handled.
    pub fn reject(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Reject(Rejection { code, detail: detail.into() })
    }

    /// Something is away, without a known time of its return.
    pub fn retry(cause: impl std::fmt::Display) -> Self {
        Self::Retry { after: None, cause: cause.to_string() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Corrupt(mismatch) => Self::Reject(Rejection::unreadable_log(&mismatch)),
            // A refusal is a wrong setting or permission: an operator mends it, and nothing is lost.
            Error::Unavailable(_) | Error::Refused(_) | Error::TooLarge | Error::Contended => {
                Self::retry(error)
            }
        }
    }
}

/// The acknowledgement, and its name in metrics.
pub(super) fn settle(
    result: &Result<Handled, Failure>,
    deliveries: i64,
    bugs: u32,
) -> (AckKind, &'static str) {
    match result {
        Ok(Handled::Done) => (AckKind::Ack, "ack"),
        Ok(Handled::Again(after)) => (AckKind::Nak(Some(*after)), "again"),
        Err(Failure::Retry { after, cause }) => {
            // Never without delay, and ever longer, whatever was asked for.
            let delay = after.unwrap_or_default().max(retry_delay(deliveries));
            tracing::warn!(%cause, deliveries, delay_ms = delay.as_millis(), "will be tried again");
            (AckKind::Nak(Some(delay)), "retry")
        }
        Err(Failure::Bug) if bugs < MAX_BUGS => {
            tracing::error!(deliveries, "the handler panicked; will be tried again");
            (AckKind::Nak(Some(retry_delay(deliveries))), "retry")
        }
        Err(Failure::Bug | Failure::Reject(_)) => (AckKind::Term, "dead_letter"),
    }
}

/// Why it is to become a dead letter, if it is.
pub(super) fn rejection(result: &Result<Handled, Failure>, bugs: u32) -> Option<Rejection> {
    match result {
        Err(Failure::Reject(rejection)) => Some(rejection.clone()),
        Err(Failure::Bug) if bugs >= MAX_BUGS => {
            Some(Rejection { code: "bug", detail: "the handler panicked every time".to_owned() })
        }
        Err(Failure::Bug | Failure::Retry { .. }) | Ok(_) => None,
    }
}

/// Doubling, with jitter of a quarter either way so that what failed together comes back apart.
pub(super) fn retry_delay(deliveries: i64) -> Duration {
    let doublings = u32::try_from(deliveries.clamp(1, 16) - 1).unwrap_or(0);
    let delay = (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY);
    chance::jittered(delay, 0.75..1.25)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_waits_longer_each_time_and_never_without_delay() {
        for (deliveries, base) in [(1, 0.25), (2, 0.5), (3, 1.0), (100, 30.0)] {
            let delay = retry_delay(deliveries).as_secs_f64();
            assert!((base * 0.75..=base * 1.25).contains(&delay), "{deliveries}: {delay}");
        }
    }

    #[test]
    fn only_bugs_and_rejections_become_dead_letters() {
        assert_eq!(rejection(&Err(Failure::retry("away")), 5), None);
        assert_eq!(rejection(&Ok(Handled::Done), 5), None);
        assert_eq!(rejection(&Err(Failure::Bug), 4), None);
        assert_eq!(rejection(&Err(Failure::Bug), 5).map(|r| r.code), Some("bug"));
        assert!(rejection(&Err(Failure::Reject(Rejection::unreadable("x"))), 0).is_some());
    }
}
