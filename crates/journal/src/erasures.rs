//! Erasures as the log tells them, and doing them again where the log was put back to a time before
//! them.

use proofline_events::{EventType, Service, VerificationKey, header as ce};
use proofline_verification::{Command, Refusal};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    Connection, Error, ExecuteError, Journal,
    bucket::Bucket,
    bus::Which,
    topology::{DATA_KEYS, VERIFICATIONS},
};

/// That a caller wanted the personal data of a verification gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose.
    pub key: VerificationKey,
    /// When that was asked for.
    pub requested_at: OffsetDateTime,
}

/// All that were asked for, and doing them again.
#[derive(Debug)]
pub struct Erasures {
    connection: Connection,
    data_keys: Bucket,
    journal: Journal,
}

impl Erasures {
    /// Those of this server.
    pub fn new(connection: &Connection) -> Self {
        Self {
            connection: connection.clone(),
            data_keys: Bucket::new(connection.clone(), DATA_KEYS),
            // Which has told it before, of every one of them.
            journal: Journal::new(connection.clone(), Service::Intake),
        }
    }

    /// Every erasure that stands in the log, oldest first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn all(&self) -> Result<Vec<Erasure>, Error> {
        let (mut all, mut from) = (Vec::new(), 1);
        loop {
            let filter = EventType::ErasureRequested.subject_filter();
            let next = Which::NextOn(&filter, from);
            let Some(message) = self.connection.leader_get(VERIFICATIONS, next).await? else {
                return Ok(all);
            };
            from = message.sequence + 1;
            let Some((_, key)) = EventType::parse_subject(&message.subject) else { continue };
            let told = message.headers.get(ce::TIME).map(|time| time.as_str());
            let told = told.and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
            all.push(Erasure { key, requested_at: told.unwrap_or(message.time) });
        }
    }

    /// Destroys the data key, and with it all that is sealed; fine when it is gone.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn destroy_key(&self, key: &VerificationKey) -> Result<(), Error> {
        self.data_keys.erase(&key.to_string()).await
    }

    /// Asks for the erasure once more, unless the log has it; answers whether it has it now: it
    /// does not when there is no such verification.
    ///
    /// # Errors
    /// [`Error`]; asking again is safe.
    pub async fn ask_again(&self, erasure: &Erasure) -> Result<bool, Error> {
        let Erasure { key, requested_at } = erasure;
        match self.journal.execute(key, Command::Erase, *requested_at).await {
            Ok(_) => Ok(true),
            Err(ExecuteError::Refused(Refusal::NotFound)) => Ok(false),
            Err(ExecuteError::Refused(refusal)) => Err(Error::Refused(refusal.to_string())),
            Err(ExecuteError::Journal(error)) => Err(error),
        }
    }
}
