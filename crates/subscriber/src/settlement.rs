//! What becomes of a message after its handler: the acknowledgement, a later delivery, or a dead
//! letter.

use std::time::Duration;

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

impl Settlement {
    /// `attempts` counts this delivery; past `limit` of them a failure is final.
    pub(crate) fn of(result: Result<(), Failure>, attempts: i64, limit: Option<u32>) -> Self {
        let (after, cause) = match result {
            Ok(()) => return Self::Done,
            Err(Failure(Kind::Reject { code, detail })) => {
                return Self::GiveUp(Reason { code, detail });
            }
            Err(Failure(Kind::Retry { after, cause })) => (after, cause),
        };
        if limit.is_some_and(|limit| attempts >= i64::from(limit)) {
            tracing::error!(%cause, attempts, "not handled; it was the last attempt");
            let detail = format!("not handled in {attempts} attempts");
            return Self::GiveUp(Reason { code: "attempts-exhausted".to_owned(), detail });
        }
        let delay = after.map_or_else(|| retry_delay(attempts), |after| after.max(LEAST_DELAY));
        tracing::warn!(%cause, attempts, delay_ms = delay.as_millis(), "not handled; will be tried again");
        Self::Later(delay)
    }

    /// Tells the server. What can't be told or put aside comes again.
    pub(crate) async fn carry_out(self, dead_letters: &Context, durable: &str, message: &Message) {
        let told = match self {
            Self::Done => message.double_ack().await,
            Self::Later(delay) => message.ack_with(AckKind::Nak(Some(delay))).await,
            Self::GiveUp(reason) => match bury(dead_letters, durable, message, &reason).await {
                Ok(()) => {
                    tracing::error!(
                        code = reason.code,
                        detail = reason.detail,
                        "put aside as a dead letter"
                    );
                    message.double_ack_with(AckKind::Term).await
                }
                Err(error) => {
                    tracing::error!(%error, code = reason.code, "could not be put aside; will be tried again");
                    let attempts = message.info().map_or(1, |info| info.delivered);
                    message.ack_with(AckKind::Nak(Some(retry_delay(attempts)))).await
                }
            },
        };
        if let Err(error) = told {
            tracing::warn!(%error, "could not be acknowledged: it may come again");
        }
    }
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
) -> Result<(), async_nats::Error> {
    let info = message.info()?;
    let letter = DeadLetter {
        consumer: durable,
        reason: &reason.code,
        detail: &reason.detail,
        attempts: info.delivered,
        subject: &message.subject,
        sequence: info.stream_sequence,
        stored_at: info.published,
    };
    let mut headers = HeaderMap::new();
    for (name, values) in message.headers.iter().flat_map(HeaderMap::iter) {
        if let Some(value) = values.last().filter(|_| DeadLetter::keeps(name.as_ref())) {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.insert(header::NATS_MESSAGE_ID, letter.message_id());
    for (name, value) in letter.headers() {
        headers.insert(name, value);
    }
    let payload = message.payload.clone();
    dead_letters.publish_with_headers(letter.subject(), headers, payload).await?.await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(result: Result<(), Failure>, attempts: i64) -> f64 {
        match Settlement::of(result, attempts, None) {
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
    }

    #[test]
    fn only_a_rejection_or_the_last_attempt_is_given_up() {
        let given_up = |result, attempts, limit| match Settlement::of(result, attempts, limit) {
            Settlement::GiveUp(reason) => Some(reason.code),
            Settlement::Done | Settlement::Later(_) => None,
        };
        assert_eq!(given_up(Ok(()), 9, Some(3)), None);
        assert_eq!(given_up(Err("away".into()), 900, None), None);
        assert_eq!(given_up(Err("away".into()), 2, Some(3)), None);
        assert_eq!(given_up(Err("x".into()), 3, Some(3)).as_deref(), Some("attempts-exhausted"));
        let rejected = Err(Failure::reject("no-such-order", "never heard of it"));
        assert_eq!(given_up(rejected, 1, None).as_deref(), Some("no-such-order"));
    }
}
