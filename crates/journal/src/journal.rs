//! Read, decide, append.

use std::sync::Arc;

use async_nats::jetstream::message::StreamMessage;
use proofline_events::{Envelope, Event, EventType, Recorded, Service, VerificationKey};
use proofline_verification::{Command, Refusal, Verification, decide, evolve, fold};
use serde_json::json;
use time::OffsetDateTime;

use crate::{
    Connection, Error, ExecuteError, StreamWatch, append::Appended, topology::VERIFICATIONS,
};

/// How often a step is tried again because others appended in between.
const MAX_CONFLICTS: usize = 20;

/// The logs of all verifications, as one service reads and writes them.
#[derive(Debug, Clone)]
pub struct Journal {
    pub(crate) connection: Connection,
    service: Service,
}

/// A verification as read: the newest message of each of its events.
#[derive(Debug, Clone)]
pub struct History {
    /// The verification; `None` when there is none.
    pub verification: Option<Verification>,
    /// The sequence that an append is guarded with; 0 when there is none.
    guard: u64,
}

/// A command that was carried out, or had been before.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The verification after it.
    pub verification: Verification,
    /// What was appended for it now; empty when it had been done before.
    pub appended: Vec<Recorded>,
}

impl Journal {
    /// The journal of a service, whose name its events carry.
    pub fn new(connection: Connection, service: Service) -> Self {
        Self { connection, service }
    }

    /// The connection it uses.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Reads a verification. A replica may answer that is a little behind; that there is none at
    /// all is confirmed at the leader.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn read(&self, key: &VerificationKey) -> Result<History, Error> {
        for _ in 0..MAX_CONFLICTS {
            let page = self.connection.last_of_each(VERIFICATIONS, &key.family()).await?;
            let guard = page.messages.iter().map(|m| m.sequence).max().unwrap_or(0);
            if guard == 0 {
                let request = json!({ "last_by_subj": key.family() });
                if self.connection.leader_get(VERIFICATIONS, &request).await?.is_some() {
                    continue;
                }
            }
            let log = page.messages.iter().filter_map(recorded).collect::<Result<Vec<_>, _>>()?;
            return Ok(History { verification: fold(&log), guard });
        }
        Err(Error::unavailable("the replicas are far behind"))
    }

    /// Watches whether NATS and the stream are there, for readiness.
    pub fn watch(&self) -> Arc<StreamWatch> {
        let journal = self.clone();
        StreamWatch::begin(self.connection.clone(), move || {
            let journal = journal.clone();
            async move { journal.probe().await }
        })
    }

    /// Whether the stream is there.
    ///
    /// # Errors
    /// [`Error`] when it is not.
    pub async fn probe(&self) -> Result<(), Error> {
        let nobody =
            VerificationKey::parse("probe", "vrf_00000000000000000000").expect("of the right form");
        self.connection.last_of_each(VERIFICATIONS, &nobody.family()).await.map(drop)
    }

    /// Whether an event stands in the log, by the leader's word.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn is_recorded(
        &self,
        key: &VerificationKey,
        event: EventType,
    ) -> Result<bool, Error> {
        let request = json!({ "last_by_subj": event.subject(key) });
        Ok(self.connection.leader_get(VERIFICATIONS, &request).await?.is_some())
    }

    /// Every event of a verification from a sequence on, oldest first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn timeline(&self, key: &VerificationKey, from: u64) -> Result<Vec<Recorded>, Error> {
        let mut from = from;
        let mut all = Vec::new();
        loop {
            let page = self.connection.page_from(VERIFICATIONS, &key.family(), from).await?;
            let Some(last) = page.messages.last() else { return Ok(all) };
            from = last.sequence + 1;
            for message in &page.messages {
                all.extend(recorded(message).transpose()?);
            }
            if page.pending == 0 {
                return Ok(all);
            }
        }
    }

    /// Reads the verification, decides on the command and appends what follows; again from the
    /// start when something came in between.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`] when the state does not allow the command, else
    /// [`ExecuteError::Journal`]; after that nobody knows whether it was carried out, and asking
    /// again is safe.
    pub async fn execute(
        &self,
        key: &VerificationKey,
        command: Command,
        now: OffsetDateTime,
    ) -> Result<Executed, ExecuteError> {
        for _ in 0..MAX_CONFLICTS {
            let history = self.read(key).await?;
            if let Some(executed) = self.try_execute(key, history, command.clone(), now).await? {
                return Ok(executed);
            }
        }
        Err(Error::Contended.into())
    }

    /// `None` when something came in between.
    async fn try_execute(
        &self,
        key: &VerificationKey,
        history: History,
        command: Command,
        now: OffsetDateTime,
    ) -> Result<Option<Executed>, ExecuteError> {
        let History { mut verification, mut guard } = history;
        let mut appended = Vec::new();
        for event in decide(key, verification.as_ref(), command, now)? {
            let envelope = self.envelope(key, &event, now);
            match self.connection.append(key, &event, &envelope, Some(guard)).await? {
                Appended::Stored(sequence) => {
                    let recorded = Recorded { sequence, key: key.clone(), envelope, event };
                    verification = evolve(verification, &recorded);
                    guard = sequence;
                    appended.push(recorded);
                }
                // Two replicas that decide differently share the id of an event that happens
                // once: what stands in the log counts, so it is read again.
                Appended::AlreadyStored(_) | Appended::Conflict => return Ok(None),
            }
        }
        let verification = verification.ok_or(Refusal::NotFound)?;
        Ok(Some(Executed { verification, appended }))
    }

    fn envelope(&self, key: &VerificationKey, event: &Event, now: OffsetDateTime) -> Envelope {
        let event_type = event.event_type();
        let envelope = Envelope::new(event_type, key, self.service, now);
        match event.repeat_id() {
            Some(repeat) => envelope.with_id(format!("{}.{event_type}.{repeat}", key.id)),
            None => envelope,
        }
    }
}

/// Reads a stored message. Server headers stand after the publisher's, so ours are looked up by
/// their own names, and the sequence is taken from the message, never from a header.
///
/// A signal that can't be read is passed over: whoever faces the internet may append signals, no
/// decision relies on one, and it becomes a dead letter where it is consumed. Any other event that
/// can't be read is an error, as deciding without it could be wrong.
fn recorded(message: &StreamMessage) -> Option<Result<Recorded, Error>> {
    let read = Recorded::read(
        &message.subject,
        message.sequence,
        |name| message.headers.get(name).map(|value| value.as_str()),
        &message.payload,
    );
    let is_signal = || {
        let parsed = EventType::parse_subject(&message.subject);
        parsed.is_some_and(|(event, _)| event == EventType::CompletionSignalled)
    };
    match read {
        Ok(recorded) => Some(Ok(recorded)),
        Err(_) if is_signal() => None,
        Err(mismatch) => Some(Err(Error::Corrupt(mismatch))),
    }
}
