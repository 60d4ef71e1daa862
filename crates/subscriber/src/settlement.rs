//! What becomes of a message after its handler: the acknowledgement, a later delivery, or a dead
//! letter.

use std::{error::Error, iter, time::Duration};

use async_nats::{
    HeaderMap, header,
    jetstream::{AckKind, Context, Message},
};
use proofline_events::DeadLetter;

use crate::failure::{Failure, Kind};

/// The first retry comes after about this long, each further one after twice the time, up to …
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// … this.
const LAST_RETRY: Duration = Duration::from_secs(60);
/// A nak without a delay would come back at once, again and again.
const LEAST_DELAY: Duration = Duration::from_millis(50);
/// A delay that the server can't count in nanoseconds would be none at all.
const MOST_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a message becomes a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: String,
    pub(crate) detail: String,
}

/// What is to become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settlement {
    Done,
    Later(Duration),
    GiveUp(Reason),
}

/// What there was of an event so far, this time included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tries {
    /// Deliveries, as the server counts them.
    pub(crate) attempts: i64,
    /// Failures of the handler in this process.
    pub(crate) failures: u32,
    /// How many failures there may be.
    pub(crate) limit: Option<u32>,
}

impl Settlement {
    pub(crate) fn of(result: Result<(), Failure>, tries: Tries) -> Self {
        let Tries { attempts, failures, limit } = tries;
        let (after, cause, kind) = match result {
            Ok(()) => return Self::Done,
            Err(Failure(Kind::Reject { code, detail })) => {
                return Self::GiveUp(Reason { code, detail });
            }
            Err(Failure(Kind::Retry { after, cause, kind })) => (after, chain(&*cause), kind),
        };
        if limit.is_some_and(|limit| failures >= limit) {
            tracing::error!(cause, attempts, failures, "not handled; it was the last attempt");
            let detail = format!("not handled in {failures} attempts; the last failure: {kind}");
            return Self::GiveUp(Reason { code: "attempts-exhausted".to_owned(), detail });
        }
        let delay = after.unwrap_or_else(|| retry_delay(attempts)).clamp(LEAST_DELAY, MOST_DELAY);
        tracing::warn!(
            cause,
            attempts,
            delay_ms = delay.as_millis(),
            "not handled; will be tried again"
        );
        Self::Later(delay)
    }

    /// Tells the server, and answers whether the event is done with. What can't be told or put
    /// aside comes again.
    pub(crate) async fn carry_out(
        self,
        dead_letters: &Context,
        durable: &str,
        message: &Message,
        first_error: &str,
    ) -> bool {
        let later = async |delay| message.ack_with(AckKind::Nak(Some(delay))).await;
        let (is_done, told) = match self {
            Self::Done => (true, message.double_ack().await),
            Self::Later(delay) => (false, later(delay).await),
            Self::GiveUp(reason) => {
                match bury(dead_letters, durable, message, &reason, first_error).await {
                    Ok(()) => {
                        tracing::error!(
                            code = reason.code,
                            detail = reason.detail,
                            "put aside as a dead letter"
                        );
                        (true, message.double_ack_with(AckKind::Term).await)
                    }
                    Err(error) => {
                        tracing::error!(%error, code = reason.code, "could not be put aside; will be tried again");
                        let attempts = message.info().map_or(1, |info| info.delivered);
                        (false, later(retry_delay(attempts)).await)
                    }
                }
            }
        };
        if let Err(error) = told {
            tracing::warn!(%error, "could not be acknowledged: it may come again");
        }
        is_done
    }
}

/// An error and what led to it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let all = iter::successors(Some(error), |&error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Doubling, with jitter of a quarter either way so that what failed together comes back apart.
fn retry_delay(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    let delay = (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY);
    delay.mul_f64(rand::random_range(0.75..1.25))
}

/// Copies the original and why; returns once that is durable. Repeating it is safe.
async fn bury(
    dead_letters: &Context,
    durable: &str,
    message: &Message,
    reason: &Reason,
    first_error: &str,
) -> Result<(), async_nats::Error> {
    let info = message.info()?;
    let letter = DeadLetter {
        consumer: durable,
        reason: &reason.code,
        detail: &reason.detail,
        first_error: Some(first_error),
        attempts: info.delivered,
        subject: &message.subject,
        sequence: info.stream_sequence,
        stored_at: info.published,
    };
    let mut headers = HeaderMap::new();
    let original = message.headers.iter().flat_map(HeaderMap::iter);
    let original =
        original.filter_map(|(name, values)| Some((name.as_ref(), values.last()?.as_str())));
    for (name, value) in letter.headers_with(original) {
        headers.insert(name, value);
    }
    headers.insert(header::NATS_MESSAGE_ID, letter.message_id());
    let payload = message.payload.clone();
    dead_letters.publish_with_headers(letter.subject(), headers, payload).await?.await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(result: Result<(), Failure>, attempts: i64) -> f64 {
        match Settlement::of(result, Tries { attempts, failures: 1, limit: None }) {
            Settlement::Later(delay) => delay.as_secs_f64(),
            other @ (Settlement::Done | Settlement::GiveUp(_)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_retry_waits_longer_each_time_and_never_without_delay() {
        for (attempts, base) in [(0, 0.5), (1, 0.5), (2, 1.0), (3, 2.0), (9, 60.0), (900, 60.0)] {
            let delay = later(Err("away".into()), attempts);
            assert!((base * 0.75..=base * 1.25).contains(&delay), "{attempts}: {delay}");
        }
        assert_eq!(later(Err(Failure::retry_after(Duration::ZERO, "x")), 9), 0.05);
        assert_eq!(later(Err(Failure::retry_after(Duration::from_secs(600), "x")), 1), 600.0);
        assert_eq!(later(Err(Failure::retry_after(Duration::MAX, "x")), 1), 86_400.0);
    }

    #[test]
    fn only_a_rejection_or_the_last_attempt_is_given_up() {
        let given_up = |result, failures, limit| {
            // The server may have delivered it any number of times without its being handled.
            match Settlement::of(result, Tries { attempts: 900, failures, limit }) {
                Settlement::GiveUp(reason) => Some(reason.code),
                Settlement::Done | Settlement::Later(_) => None,
            }
        };
        assert_eq!(given_up(Ok(()), 9, Some(3)), None);
        assert_eq!(given_up(Err("away".into()), 900, None), None);
        assert_eq!(given_up(Err("away".into()), 2, Some(3)), None);
        assert_eq!(given_up(Err("x".into()), 3, Some(3)).as_deref(), Some("attempts-exhausted"));
        let rejected = Err(Failure::reject("no-such-order", "never heard of it"));
        assert_eq!(given_up(rejected, 1, None).as_deref(), Some("no-such-order"));
    }

    #[test]
    fn a_dead_letter_names_the_type_of_the_last_failure_and_not_its_text() {
        let tries = Tries { attempts: 3, failures: 3, limit: Some(3) };
        let detail = |failure| match Settlement::of(Err(failure), tries) {
            Settlement::GiveUp(reason) => reason.detail,
            other @ (Settlement::Done | Settlement::Later(_)) => panic!("{other:?}"),
        };
        let error = "Ada Lovelace".parse::<u32>().unwrap_err();
        assert_eq!(
            detail(error.into()),
            "not handled in 3 attempts; the last failure: core::num::error::ParseIntError"
        );
        assert!(detail(Failure::panic()).ends_with("a panic of the handler"));
        assert!(detail("Ada Lovelace".into()).ends_with("an error without a type of its own"));
    }

    #[test]
    fn an_error_is_logged_with_what_led_to_it() {
        let error = anyhow::anyhow!("connection refused").context("the ledger is away");
        assert_eq!(chain(&*error), "the ledger is away: connection refused");
    }
}
