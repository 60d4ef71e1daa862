//! The envelope: CloudEvents 1.0 in binary mode, one header for each attribute. Written and read
//! here and nowhere else.

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{Event, EventType, Service, VerificationKey};

/// Header names. NATS header names are case-sensitive, so their spelling is fixed here.
pub mod header {
    /// Same for every redelivery of one fact.
    pub const ID: &str = "ce-id";
    /// `1.0`.
    pub const SPEC_VERSION: &str = "ce-specversion";
    /// `proofline.v1.<event>`.
    pub const TYPE: &str = "ce-type";
    /// `/proofline/<service>`.
    pub const SOURCE: &str = "ce-source";
    /// The verification's id.
    pub const SUBJECT: &str = "ce-subject";
    /// RFC 3339, UTC.
    pub const TIME: &str = "ce-time";
    /// `application/protobuf`.
    pub const DATA_CONTENT_TYPE: &str = "ce-datacontenttype";
}

/// What stands in the headers of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `ce-id`: `<verification_id>.<event>` for an event that happens once.
    pub id: String,
    /// `ce-source`, such as `/proofline/intake`.
    pub source: String,
    /// `ce-time`: when it happened.
    pub time: OffsetDateTime,
}

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its sequence in the stream `VERIFICATIONS`; 0 for a replay, which stands elsewhere.
    pub sequence: u64,
    /// Whose it is.
    pub key: VerificationKey,
    /// Its headers.
    pub envelope: Envelope,
    /// Its payload.
    pub event: Event,
}

/// A message that is not what its subject says: it is put aside as a dead letter. Names the
/// attribute, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The subject is not one of ours.
    #[error("the subject is not an event's")]
    Subject,
    /// A required header is missing or not readable.
    #[error("header {0} is missing or not readable")]
    Header(&'static str),
    /// A header contradicts the subject.
    #[error("header {0} disagrees with the subject")]
    Disagrees(&'static str),
    /// The payload is not a message of that event.
    #[error("the payload cannot be decoded")]
    Payload(#[source] prost::DecodeError),
    /// The payload names another verification.
    #[error("the payload disagrees with the subject")]
    PayloadDisagrees,
}

impl Envelope {
    /// The envelope of an event by `source`. The id is the one fixed for events that happen once;
    /// repeated ones give their own with [`Envelope::with_id`].
    pub fn new(
        event: EventType,
        key: &VerificationKey,
        source: Service,
        time: OffsetDateTime,
    ) -> Self {
        Self {
            id: format!("{}.{event}", key.id),
            source: format!("/proofline/{}", source.name()),
            time,
        }
    }

    /// The same with another `ce-id`.
    #[must_use]
    pub fn with_id(mut self, id: String) -> Self {
        self.id = id;
        self
    }

    /// The headers to publish with.
    pub fn headers(&self, event: EventType, key: &VerificationKey) -> [(&'static str, String); 7] {
        let time = self.time.format(&Rfc3339).expect("years 0 to 9999 can be formatted");
        [
            (header::SPEC_VERSION, "1.0".to_owned()),
            (header::ID, self.id.clone()),
            (header::TYPE, event.ce_type()),
            (header::SOURCE, self.source.clone()),
            (header::SUBJECT, key.id.to_string()),
            (header::TIME, time),
            (header::DATA_CONTENT_TYPE, "application/protobuf".to_owned()),
        ]
    }
}

impl Recorded {
    /// Reads a message of the stream and checks that its parts agree: anybody who may publish
    /// anything inside the account can have the server store a message on one of our subjects.
    ///
    /// # Errors
    /// [`Mismatch`] when they don't.
    pub fn read<'a>(
        subject: &str,
        sequence: u64,
        header: impl Fn(&'static str) -> Option<&'a str>,
        payload: &[u8],
    ) -> Result<Self, Mismatch> {
        let (event_type, key) = EventType::parse_subject(subject).ok_or(Mismatch::Subject)?;
        let required = |name| header(name).ok_or(Mismatch::Header(name));
        if required(header::TYPE)? != event_type.ce_type() {
            return Err(Mismatch::Disagrees(header::TYPE));
        }
        if required(header::SUBJECT)? != key.id.as_str() {
            return Err(Mismatch::Disagrees(header::SUBJECT));
        }
        let time = OffsetDateTime::parse(required(header::TIME)?, &Rfc3339)
            .map_err(|_| Mismatch::Header(header::TIME))?;
        let envelope = Envelope {
            id: required(header::ID)?.to_owned(),
            source: required(header::SOURCE)?.to_owned(),
            time,
        };
        let event = Event::decode(event_type, payload).map_err(Mismatch::Payload)?;
        if event.key().as_ref() != Ok(&key) {
            return Err(Mismatch::PayloadDisagrees);
        }
        Ok(Self { sequence, key, envelope, event })
    }
}
