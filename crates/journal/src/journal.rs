//! Read, decide, append.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::message::StreamMessage;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use proofline_ambient::chance;
use proofline_events::{Envelope, Event, EventType, Recorded, Service, VerificationKey};
use proofline_verification::{Command, Refusal, Verification, decide, evolve, fold};
use time::OffsetDateTime;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    Connection, Error, ExecuteError, StreamWatch, append::Appended, bus::Which, hint::Ends,
    topology::VERIFICATIONS, trace,
};

/// How often a step is tried again because others appended in between, or a replica is behind.
const MAX_ATTEMPTS: u32 = 20;
/// The first pause between attempts; each further one is twice as long, up to …
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// … this.
const LAST_PAUSE: Duration = Duration::from_millis(100);

/// The logs of all verifications, as one service reads and writes them.
#[derive(Debug, Clone)]
pub struct Journal {
    pub(crate) connection: Connection,
    pub(crate) ends: Ends,
    service: Service,
}

/// A verification as read: the newest message of each of its events.
#[derive(Debug, Clone)]
pub struct History {
    /// The verification; `None` when there is none.
    pub verification: Option<Verification>,
    /// The sequence that an append is guarded with; 0 when there is none.
    guard: u64,
    /// Where it was requested, in traces.
    origin: SpanContext,
}

impl History {
    /// Links the current span to the trace in which the verification was requested: from any of its
    /// traces, hours apart, one comes to the first.
    pub fn link_to_origin(&self) {
        let span = Span::current();
        if span.context().span().span_context().trace_id() != self.origin.trace_id() {
            span.add_link(self.origin.clone());
        }
    }

    /// The verification, if there is one and it has no end yet.
    pub fn open(&self) -> Option<&Verification> {
        self.verification.as_ref().filter(|verification| verification.end.is_none())
    }
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
        Self { connection, ends: Ends::default(), service }
    }

    /// The connection it uses.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Reads a verification. A replica may answer that is a little behind: right for showing it,
    /// and for what is decided under a guard. That there is none at all is confirmed at the leader.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn read(&self, key: &VerificationKey) -> Result<History, Error> {
        let history = self.read_replica(key).await?;
        if history.guard > 0 { Ok(history) } else { self.read_latest(key).await }
    }

    /// Reads a verification with at least everything that stood in its log when this was called.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn read_latest(&self, key: &VerificationKey) -> Result<History, Error> {
        let sequence = self.last_sequence(key).await?;
        self.read_since(key, sequence).await
    }

    /// Reads a verification with at least everything up to this sequence: for whoever has been
    /// delivered that event, or has appended it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn read_since(&self, key: &VerificationKey, sequence: u64) -> Result<History, Error> {
        for attempt in 0..MAX_ATTEMPTS {
            let history = self.read_replica(key).await?;
            if history.guard >= sequence {
                return Ok(history);
            }
            pause(attempt).await;
        }
        Err(Error::unavailable("the replicas are far behind"))
    }

    async fn read_replica(&self, key: &VerificationKey) -> Result<History, Error> {
        let page = self.connection.last_of_each(VERIFICATIONS, &key.family()).await?;
        let guard = page.messages.iter().map(|m| m.sequence).max().unwrap_or(0);
        let log = page.messages.iter().filter_map(recorded).collect::<Result<Vec<_>, _>>()?;
        Ok(History { verification: fold(&log), guard, origin: origin(&page.messages, key) })
    }

    /// The sequence of a verification's last event, by the leader's word; 0 when there is none.
    async fn last_sequence(&self, key: &VerificationKey) -> Result<u64, Error> {
        let family = key.family();
        let last = self.connection.leader_get(VERIFICATIONS, Which::LastOn(&family)).await?;
        Ok(last.map_or(0, |message| message.sequence))
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
        let subject = event.subject(key);
        let last = self.connection.leader_get(VERIFICATIONS, Which::LastOn(&subject)).await?;
        Ok(last.is_some())
    }

    /// Every event of a verification from a sequence on, oldest first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn timeline(&self, key: &VerificationKey, from: u64) -> Result<Vec<Recorded>, Error> {
        let mut next = from.max(1);
        let mut all = Vec::new();
        let mut attempt = 0;
        loop {
            let page = self.connection.page_from(VERIFICATIONS, &key.family(), next).await?;
            for message in &page.messages {
                next = message.sequence + 1;
                all.extend(recorded(message).transpose()?);
            }
            if page.pending > 0 {
                continue;
            }
            // A replica may be behind; the log has an end that the leader knows.
            if attempt == MAX_ATTEMPTS || next > self.last_sequence(key).await? {
                return Ok(all);
            }
            pause(attempt).await;
            attempt += 1;
        }
    }

    /// Reads the verification, decides on the command and appends what follows; again from the
    /// start when something came in between. A refusal, or that there is nothing to do, is answered
    /// only of a state that the leader confirms.
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
        let mut history = self.read(key).await?;
        // What the leader had at some time since this was called. A state with all of that is late
        // enough: a log in which something happens all the time would never stand still for us.
        let mut confirmed = None;
        for attempt in 0..MAX_ATTEMPTS {
            let guard = history.guard;
            let result = self.execute_once(key, history, command.clone(), now).await;
            let last = match result {
                Ok(Some(executed)) if !executed.appended.is_empty() => return Ok(executed),
                Ok(Some(_)) | Err(ExecuteError::Refused(_)) => {
                    let last = match confirmed {
                        Some(last) => last,
                        None => self.last_sequence(key).await?,
                    };
                    if last <= guard {
                        // Not empty: `None` is the other arm's.
                        return result.map(|executed| executed.expect("matched above"));
                    }
                    last
                }
                Ok(None) => {
                    pause(attempt).await;
                    self.last_sequence(key).await?
                }
                Err(error) => return Err(error),
            };
            confirmed = Some(last);
            history = self.read_since(key, last).await?;
        }
        Err(Error::Contended.into())
    }

    /// Decides on the command in the state that was read and appends what follows, under the guard
    /// of that very state; `None` when something came in between.
    ///
    /// # Errors
    /// As [`Journal::execute`], of a state that may be behind.
    pub async fn execute_once(
        &self,
        key: &VerificationKey,
        history: History,
        command: Command,
        now: OffsetDateTime,
    ) -> Result<Option<Executed>, ExecuteError> {
        let History { mut verification, mut guard, .. } = history;
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

/// The context in which the verification was requested; an empty one when there is none.
fn origin(messages: &[StreamMessage], key: &VerificationKey) -> SpanContext {
    let subject = EventType::VerificationRequested.subject(key);
    let requested = messages.iter().find(|message| message.subject.as_str() == subject);
    let context = trace::extract(requested.map(|message| &message.headers));
    context.span().span_context().clone()
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

/// Lets a replica catch up, and racing writers come apart.
#[expect(clippy::disallowed_methods, reason = "what a replica lags behind by is a time")]
async fn pause(attempt: u32) {
    let longest = (FIRST_PAUSE * 2_u32.pow(attempt.min(10))).min(LAST_PAUSE);
    tokio::time::sleep(chance::jittered(longest, 0.5..1.0)).await;
}
