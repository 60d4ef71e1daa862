//! Signals: the one event that is appended without a guard and without reading first, so that
//! whoever hears from outside needs no right but to append this.

use std::sync::Arc;

use async_nats::{
    HeaderMap, header,
    jetstream::context::{PublishError, PublishErrorKind},
};
use bytes::Bytes;
use proofline_events::{Envelope, Event, EventType, Service, VerificationKey, v1};
use time::OffsetDateTime;

use crate::{
    Connection, Error, StreamWatch,
    append::{Appended, EXPECTED_SUBJECT, describe},
    telemetry,
    topology::VERIFICATIONS,
};

/// A sequence that no stream reaches.
const NOWHERE: i64 = i64::MAX;

/// A hint that a process may be finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Tells this signal from others of the same verification: its `ce-id` is
    /// `<verification_id>.<id>`.
    pub id: String,
    /// Where it came from.
    pub source: v1::SignalSource,
    /// The dossier id it claims; empty for none.
    pub claimed_dossier_id: String,
    /// The process id it claims; empty for none.
    pub claimed_process_id: String,
    /// The status it claims; empty for none.
    pub claimed_status: String,
}

impl Signal {
    /// A signal that claims nothing.
    pub fn new(id: String, source: v1::SignalSource) -> Self {
        Self {
            id,
            source,
            claimed_dossier_id: String::new(),
            claimed_process_id: String::new(),
            claimed_status: String::new(),
        }
    }
}

/// Whether a signal is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It stands in the log now.
    New,
    /// It did already.
    Repeat,
}

/// Where signals go.
#[derive(Debug, Clone)]
pub struct SignalSink {
    connection: Connection,
    service: Service,
}

impl SignalSink {
    /// The sink of a service, whose name its signals carry. Signals that wait together may go as one.
    pub fn new(connection: &Connection, service: Service) -> Self {
        Self { connection: connection.together(), service }
    }

    /// Appends a signal; returns once it is durable.
    ///
    /// # Errors
    /// [`Error`]; appending again is safe.
    pub async fn append(
        &self,
        key: &VerificationKey,
        signal: Signal,
        now: OffsetDateTime,
    ) -> Result<Stored, Error> {
        let envelope = Envelope::new(EventType::CompletionSignalled, key, self.service, now)
            .with_id(format!("{}.{}", key.id, signal.id));
        let event = Event::from(v1::CompletionSignalled {
            tenant: key.tenant.to_string(),
            verification_id: key.id.to_string(),
            source: signal.source.into(),
            claimed_dossier_id: signal.claimed_dossier_id,
            claimed_process_id: signal.claimed_process_id,
            claimed_status: signal.claimed_status,
        });
        match self.connection.append(key, &event, &envelope, None).await? {
            Appended::Stored(_) => {
                telemetry::signalled(signal.source, "stored");
                Ok(Stored::New)
            }
            Appended::AlreadyStored(_) => {
                telemetry::signalled(signal.source, "repeat");
                Ok(Stored::Repeat)
            }
            Appended::Conflict => Err(Error::Contended),
        }
    }

    /// Whether such a verification was requested, by the leader's word.
    ///
    /// The right to read cannot be had for one event at the leader, so the right to append signals
    /// serves: a signal that expects the request to stand where nothing ever will is refused, and
    /// the refusal tells where it does stand.
    ///
    /// # Errors
    /// [`Error`]; then nobody knows.
    pub async fn is_requested(&self, key: &VerificationKey) -> Result<bool, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_STREAM, VERIFICATIONS);
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NOWHERE.to_string());
        headers.insert(EXPECTED_SUBJECT, EventType::VerificationRequested.subject(key));
        let subject = EventType::CompletionSignalled.subject(key);
        match self.connection.refused(subject, headers).await? {
            refusal if refusal.kind() == PublishErrorKind::WrongLastSequence => {
                let last = last_sequence_in(&describe(&refusal));
                last.map(|last| last > 0)
                    .ok_or_else(|| Error::unavailable("a refusal does not say where the last is"))
            }
            refusal => Err(Error::unavailable(describe(&refusal))),
        }
    }

    /// Watches whether NATS and the stream are there, for readiness.
    pub fn watch(&self) -> Arc<StreamWatch> {
        let sink = self.clone();
        StreamWatch::begin(self.connection.clone(), move || {
            let sink = sink.clone();
            async move { sink.probe().await }
        })
    }

    /// Whether the stream is there, with no right but to append signals: a message that expects
    /// another stream is refused by the stream, and never stored.
    ///
    /// # Errors
    /// [`Error`] when it is not there.
    pub async fn probe(&self) -> Result<(), Error> {
        let probe =
            VerificationKey::parse("probe", "vrf_00000000000000000000").expect("of the right form");
        let subject = EventType::CompletionSignalled.subject(&probe);
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_STREAM, format!("NOT_{VERIFICATIONS}"));
        match self.connection.refused(subject, headers).await? {
            refusal if refusal.kind() == PublishErrorKind::Other => Ok(()),
            refusal => Err(Error::unavailable(refusal)),
        }
    }
}

impl Connection {
    /// Publishes what the stream must refuse; answers why it did, if it was asked at all.
    async fn refused(&self, subject: String, headers: HeaderMap) -> Result<PublishError, Error> {
        match self.bus.publish(subject, headers, Bytes::new()).await {
            Ok(_) => Err(Error::Refused(
                "the probe was stored: VERIFICATIONS is not set up as it should be".to_owned(),
            )),
            Err(refusal) => Ok(refusal),
        }
    }
}

/// "wrong last sequence: 7 (code 400, error code 10071)". On a cluster another error says that an
/// append is under way, without a number.
fn last_sequence_in(refusal: &str) -> Option<u64> {
    let (_, number) = refusal.split_once("wrong last sequence: ")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
