//! Dead letters: what could not be handled, kept with its reason for an operator to replay.

use async_nats::{HeaderMap, header, jetstream::Message};
use proofline_events::VerificationKey;

use crate::{Connection, Error, worker::Rejection};

/// Why: a reason code.
const REASON: &str = "proofline-dead-reason";
/// A sentence for people, without personal data.
const DETAIL: &str = "proofline-dead-detail";
/// How often it was delivered.
const ATTEMPTS: &str = "proofline-dead-attempts";
/// The consumer that gave up.
const CONSUMER: &str = "proofline-dead-consumer";
/// The original's subject.
const SUBJECT: &str = "proofline-dead-subject";
/// The original's sequence in its stream.
const SEQUENCE: &str = "proofline-dead-sequence";
/// When the original was stored, in RFC 3339.
const STORED_AT: &str = "proofline-dead-stored-at";

/// Copies the original, its `ce-` headers and why; returns once that is durable. Repeating it is
/// safe: the consumer and the sequence make the message id.
pub(crate) async fn bury(
    connection: &Connection,
    consumer: &str,
    message: &Message,
    rejection: &Rejection,
) -> Result<(), Error> {
    let info = message.info().map_err(|e| Error::Refused(e.to_string()))?;
    let mut headers = HeaderMap::new();
    for (name, values) in message.headers.iter().flat_map(HeaderMap::iter) {
        let text: &str = name.as_ref();
        let is_ours = text.starts_with("ce-") || text == "traceparent";
        if let Some(value) = values.last().filter(|_| is_ours) {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.insert(header::NATS_MESSAGE_ID, format!("{consumer}.{}", info.stream_sequence));
    headers.insert(REASON, rejection.code);
    headers.insert(DETAIL, one_line(&rejection.detail));
    headers.insert(ATTEMPTS, info.delivered.to_string());
    headers.insert(CONSUMER, consumer);
    headers.insert(SUBJECT, message.subject.as_str());
    headers.insert(SEQUENCE, info.stream_sequence.to_string());
    let stored_at = info.published.format(&time::format_description::well_known::Rfc3339);
    headers.insert(STORED_AT, stored_at.unwrap_or_default());
    let owner = owner(&message.subject);
    let subject = format!("proofline.dead.v1.{consumer}.{owner}");
    let payload = message.payload.clone();
    let sent = connection.jetstream.publish_with_headers(subject, headers, payload).await;
    let acknowledgement = sent.map_err(Error::unavailable)?;
    acknowledgement.await.map_err(Error::unavailable)?;
    Ok(())
}

/// A header holds one line; the client panics at more.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The last two tokens of the subject when they name a verification, else placeholders.
fn owner(subject: &str) -> String {
    let mut tokens = subject.rsplit('.');
    let (id, tenant) = (tokens.next().unwrap_or_default(), tokens.next().unwrap_or_default());
    VerificationKey::parse(tenant, id)
        .map_or_else(|_| "unknown.unknown".to_owned(), |key| key.to_string())
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn a_subject_that_names_no_verification_still_has_a_place() {
        let id = "vrf_00000000000000000000";
        assert_eq!(owner(&format!("proofline.v1.process-created.acme.{id}")), format!("acme.{id}"));
        assert_eq!(owner("proofline.v1.process-created.acme.x"), "unknown.unknown");
        assert_eq!(owner("x"), "unknown.unknown");
    }
}
