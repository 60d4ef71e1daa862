//! Dead letters: messages that could not be handled, kept with the reason for an operator to see
//! and to replay.

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::VerificationKey;

mod stored;

pub use stored::StoredDeadLetter;

/// Beginning of the subjects of dead letters:
/// `proofline.dead.v1.<consumer>.<tenant>.<verification_id>`.
pub const DEAD_LETTER_PREFIX: &str = "proofline.dead.v1.";

/// Header names of what a dead letter adds to the original.
pub mod dead_letter_header {
    /// Why: a reason code.
    pub const REASON: &str = "proofline-dead-reason";
    /// The last error: a sentence for people, without personal data.
    pub const DETAIL: &str = "proofline-dead-detail";
    /// The first error that whoever gave up knew of, likewise. Older letters have none.
    pub const FIRST_ERROR: &str = "proofline-dead-first-error";
    /// How often it was delivered.
    pub const ATTEMPTS: &str = "proofline-dead-attempts";
    /// The consumer that gave up.
    pub const CONSUMER: &str = "proofline-dead-consumer";
    /// The original's subject.
    pub const SUBJECT: &str = "proofline-dead-subject";
    /// The original's sequence in its stream.
    pub const SEQUENCE: &str = "proofline-dead-sequence";
    /// When the original was stored, in RFC 3339.
    pub const STORED_AT: &str = "proofline-dead-stored-at";
}

/// What is told of a message that could not be handled. The letter's payload is the original's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    /// The consumer that gave up.
    pub consumer: &'a str,
    /// Reason code, in kebab case.
    pub reason: &'a str,
    /// The last error, for people; no personal data.
    pub detail: &'a str,
    /// The first error, likewise, where there was another before the last.
    pub first_error: Option<&'a str>,
    /// How often the original was delivered.
    pub attempts: i64,
    /// The original's subject.
    pub subject: &'a str,
    /// The original's sequence in its stream.
    pub sequence: u64,
    /// When the original was stored.
    pub stored_at: OffsetDateTime,
}

impl DeadLetter<'_> {
    /// `proofline.dead.v1.<consumer>.<tenant>.<verification_id>`, with placeholders when the
    /// original's subject names no verification.
    pub fn subject(&self) -> String {
        format!("{DEAD_LETTER_PREFIX}{}.{}", self.consumer, owner(self.subject))
    }

    /// The same each time the same original is put aside, so that repeating it is safe.
    pub fn message_id(&self) -> String {
        format!("{}.{}", self.consumer, self.sequence)
    }

    /// Every header of the letter: those of the original that stay as they are, and what is added.
    pub fn headers_with<'h>(
        &self,
        original: impl IntoIterator<Item = (&'h str, &'h str)>,
    ) -> impl Iterator<Item = (String, String)> {
        let stays = |(name, _): &(&str, &str)| {
            name.starts_with("ce-") || name.starts_with("proofline-") || *name == "traceparent"
        };
        let kept = original.into_iter().filter(stays);
        let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let added = self.headers().into_iter().map(|(name, value)| (name.to_owned(), value));
        kept.chain(added)
    }

    /// The headers that are added to those kept. Each value is one line.
    pub fn headers(&self) -> [(&'static str, String); 8] {
        use dead_letter_header as name;
        [
            (name::REASON, one_line(self.reason)),
            (name::DETAIL, one_line(self.detail)),
            (name::FIRST_ERROR, one_line(self.first_error.unwrap_or(self.detail))),
            (name::ATTEMPTS, self.attempts.to_string()),
            (name::CONSUMER, self.consumer.to_owned()),
            (name::SUBJECT, self.subject.to_owned()),
            (name::SEQUENCE, self.sequence.to_string()),
            (name::STORED_AT, self.stored_at.format(&Rfc3339).unwrap_or_default()),
        ]
    }
}

/// A header holds one line; NATS clients panic or fail at more.
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
