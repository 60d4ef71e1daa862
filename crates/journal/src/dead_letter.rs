//! Dead letters: what could not be handled, kept with its reason for an operator to replay.

use async_nats::{HeaderMap, header};
use proofline_events::DeadLetter;

use crate::{Connection, Error, bus::Delivered, telemetry, worker::Rejection};

/// Copies the original, its `ce-` headers and why; returns once that is durable. Repeating it is
/// safe: the consumer and the sequence make the message id.
pub(crate) async fn bury(
    connection: &Connection,
    consumer: &str,
    message: &Delivered,
    rejection: &Rejection,
    first_error: Option<&str>,
) -> Result<(), Error> {
    let position = message.position.as_ref();
    let position =
        position.ok_or_else(|| Error::Refused("the message has no position".to_owned()))?;
    let letter = DeadLetter {
        consumer,
        reason: rejection.code,
        detail: &rejection.detail,
        first_error,
        attempts: position.deliveries,
        subject: &message.subject,
        sequence: position.sequence,
        stored_at: position.stored_at,
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
    let stored = connection.bus.publish(letter.subject(), headers, payload).await;
    let stored = stored.map_err(Error::unavailable)?;
    if !stored.duplicate {
        telemetry::buried(consumer, rejection.code);
    }
    Ok(())
}
