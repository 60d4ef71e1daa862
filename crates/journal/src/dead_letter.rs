//! Dead letters: what could not be handled, kept with its reason for an operator to replay.

use async_nats::{HeaderMap, header, jetstream::Message};
use proofline_events::DeadLetter;

use crate::{Connection, Error, telemetry, worker::Rejection};

/// Copies the original, its `ce-` headers and why; returns once that is durable. Repeating it is
/// safe: the consumer and the sequence make the message id.
pub(crate) async fn bury(
    connection: &Connection,
    consumer: &str,
    message: &Message,
    rejection: &Rejection,
    first_error: Option<&str>,
) -> Result<(), Error> {
    let info = message.info().map_err(|e| Error::Refused(e.to_string()))?;
    let letter = DeadLetter {
        consumer,
        reason: rejection.code,
        detail: &rejection.detail,
        first_error,
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
    let sent = connection.jetstream.publish_with_headers(letter.subject(), headers, payload).await;
    let acknowledgement = sent.map_err(Error::unavailable)?;
    let stored = acknowledgement.await.map_err(Error::unavailable)?;
    if !stored.duplicate {
        telemetry::buried(consumer, rejection.code);
    }
    Ok(())
}
