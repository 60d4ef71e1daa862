//! Timers: messages that come due, in a stream of their own.

use async_nats::{HeaderMap, header};
use bytes::Bytes;
use proofline_events::VerificationKey;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{Error, Journal, append::is_conflict, bus::Left, topology::TIMERS, trace};

const DUE: &str = "proofline-due";
const ROUND: &str = "proofline-round";

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerKind {
    /// The verification's deadline.
    Deadline,
    /// The verification should have heard of its end by now.
    Check,
    /// Something is to be deleted in Assure.
    DeleteInAssure,
    /// The sealed result has been kept long enough.
    ExpireResult,
}

/// A timer that has come due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose.
    pub key: VerificationKey,
    /// When it was to come due.
    pub at: OffsetDateTime,
    /// How often it has been set again before.
    pub round: u32,
}

impl TimerKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Check => "check",
            Self::DeleteInAssure => "delete-in-assure",
            Self::ExpireResult => "expire-result",
        }
    }

    pub(crate) fn due_filter(self) -> String {
        format!("proofline.timer.v1.due.{}.>", self.name())
    }

    /// Those that are set and have not come due.
    pub(crate) fn at_filter(self) -> String {
        format!("proofline.timer.v1.at.{}.>", self.name())
    }

    fn at_subject(self, key: &VerificationKey) -> String {
        format!("proofline.timer.v1.at.{}.{key}", self.name())
    }

    fn due_prefix(self) -> String {
        format!("proofline.timer.v1.due.{}.", self.name())
    }

    /// The kind of the timer that comes due on this subject.
    pub fn of_due(subject: &str) -> Option<Self> {
        let all = [Self::Deadline, Self::Check, Self::DeleteInAssure, Self::ExpireResult];
        all.into_iter().find(|kind| subject.starts_with(&kind.due_prefix()))
    }

    /// The headers of a timer that was to come due at this time and has not been set again.
    ///
    /// # Errors
    /// [`Error::Refused`] when the time can't be written.
    pub fn due_headers(at: OffsetDateTime) -> Result<[(&'static str, String); 2], Error> {
        let at = at.format(&Rfc3339).map_err(|e| Error::Refused(e.to_string()))?;
        Ok([(DUE, at), (ROUND, 0.to_string())])
    }

    pub(crate) fn read(self, subject: &str, headers: Option<&HeaderMap>) -> Option<Due> {
        let prefix = self.due_prefix();
        let (tenant, id) = subject.strip_prefix(&prefix)?.split_once('.')?;
        let headers = headers?;
        let at = OffsetDateTime::parse(headers.get(DUE)?.as_str(), &Rfc3339).ok()?;
        let round = headers.get(ROUND)?.as_str().parse().ok()?;
        Some(Due { key: VerificationKey::parse(tenant, id).ok()?, at, round })
    }
}

impl Journal {
    /// Sets a timer. One that is set already keeps its time: whoever sets it again is a repeat.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_timer(
        &self,
        kind: TimerKind,
        key: &VerificationKey,
        at: OffsetDateTime,
    ) -> Result<(), Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
        self.schedule(kind, &Due { key: key.clone(), at, round: 0 }, headers).await
    }

    /// Sets a timer, whether or not it is set already.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn reset_timer(&self, kind: TimerKind, due: &Due) -> Result<(), Error> {
        self.schedule(kind, due, HeaderMap::new()).await
    }

    /// Removes timers of these kinds that are set. One that is set meanwhile, or that the replica
    /// which is asked has not heard of, still comes due.
    ///
    /// # Errors
    /// [`Error`]; also when one has just come due. Removing them again goes on where this stopped.
    pub async fn remove_timers(
        &self,
        kinds: &[TimerKind],
        key: &VerificationKey,
    ) -> Result<(), Error> {
        let any_kind = format!("proofline.timer.v1.at.*.{key}");
        let set = self.connection.last_of_each(TIMERS, &any_kind).await?;
        let wanted: Vec<_> = kinds.iter().map(|kind| kind.at_subject(key)).collect();
        for timer in set.messages {
            if wanted.iter().any(|subject| *subject == *timer.subject) {
                self.connection.bus.delete(TIMERS, timer.sequence, Left::Bytes).await?;
            }
        }
        Ok(())
    }

    async fn schedule(
        &self,
        kind: TimerKind,
        due: &Due,
        mut headers: HeaderMap,
    ) -> Result<(), Error> {
        let key = &due.key;
        let subject = kind.at_subject(key);
        let time = due.at.format(&Rfc3339).map_err(|e| Error::Refused(e.to_string()))?;
        headers.insert(header::NATS_SCHEDULE, format!("@at {time}"));
        headers.insert(header::NATS_SCHEDULE_TARGET, format!("{}{key}", kind.due_prefix()));
        // A scheduled message keeps its own headers, but not its message id.
        headers.insert(DUE, time);
        headers.insert(ROUND, due.round.to_string());
        trace::inject(&mut headers);
        match self.connection.bus.publish(subject, headers, Bytes::new()).await {
            Ok(_) => Ok(()),
            Err(error) if is_conflict(&error) => Ok(()),
            Err(error) => Err(Error::unavailable(error)),
        }
    }
}
