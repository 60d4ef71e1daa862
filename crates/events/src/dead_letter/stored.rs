//! A dead letter as it is found.

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{DEAD_LETTER_PREFIX, dead_letter_header as name};
use crate::VerificationKey;

/// What a dead letter tells of its original. Whoever wrote it may have left something out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// The consumer that gave up.
    pub consumer: String,
    /// Whose it is, when the original's subject told.
    pub key: Option<VerificationKey>,
    /// Reason code, in kebab case.
    pub reason: String,
    /// The last error, for people.
    pub last_error: String,
    /// The first error; `None` in letters that were written before it was kept.
    pub first_error: Option<String>,
    /// How often the original was delivered.
    pub attempts: Option<u64>,
    /// The original's subject.
    pub subject: Option<String>,
    /// The original's sequence in its stream.
    pub sequence: Option<u64>,
    /// When the original was stored.
    pub stored_at: Option<OffsetDateTime>,
}

impl StoredDeadLetter {
    /// Reads a message of the stream `DEAD_LETTERS`; `None` when its subject is no dead letter's.
    pub fn read<'h>(
        subject: &str,
        header: impl Fn(&'static str) -> Option<&'h str>,
    ) -> Option<Self> {
        let mut tokens = subject.strip_prefix(DEAD_LETTER_PREFIX)?.split('.');
        let (consumer, tenant, id) = (tokens.next()?, tokens.next()?, tokens.next()?);
        let text = |name| header(name).map(ToOwned::to_owned);
        Some(Self {
            consumer: consumer.to_owned(),
            key: VerificationKey::parse(tenant, id).ok(),
            reason: text(name::REASON).unwrap_or_else(|| "unknown".to_owned()),
            last_error: text(name::DETAIL).unwrap_or_default(),
            first_error: text(name::FIRST_ERROR),
            attempts: header(name::ATTEMPTS).and_then(|text| text.parse().ok()),
            subject: text(name::SUBJECT),
            sequence: header(name::SEQUENCE).and_then(|text| text.parse().ok()),
            stored_at: header(name::STORED_AT)
                .and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::DeadLetter;

    #[test]
    fn what_is_written_is_read_and_letters_from_before_first_errors_were_kept_too() {
        let id = "vrf_00000000000000000000";
        let original = format!("proofline.v1.process-created.acme.{id}");
        let letter = DeadLetter {
            consumer: "acme-billing",
            reason: "no-such-order",
            detail: "nobody ordered this",
            first_error: Some("the ledger is away"),
            attempts: 3,
            subject: &original,
            sequence: 42,
            stored_at: OffsetDateTime::UNIX_EPOCH,
        };
        let mut headers: BTreeMap<_, _> = letter.headers().into_iter().collect();
        let read = |headers: &BTreeMap<&'static str, String>| {
            let header = |name| headers.get(name).map(String::as_str);
            StoredDeadLetter::read(&letter.subject(), header).unwrap()
        };

        let expected = StoredDeadLetter {
            consumer: "acme-billing".to_owned(),
            key: Some(VerificationKey::parse("acme", id).unwrap()),
            reason: "no-such-order".to_owned(),
            last_error: "nobody ordered this".to_owned(),
            first_error: Some("the ledger is away".to_owned()),
            attempts: Some(3),
            subject: Some(original.clone()),
            sequence: Some(42),
            stored_at: Some(OffsetDateTime::UNIX_EPOCH),
        };
        assert_eq!(read(&headers), expected);
        headers.remove(name::FIRST_ERROR);
        assert_eq!(read(&headers), StoredDeadLetter { first_error: None, ..expected });
        assert_eq!(StoredDeadLetter::read(&original, |_| None), None);
    }
}
