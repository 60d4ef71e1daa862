//! A key-value bucket, read at the leader and written with expectations. Only what is needed, and
//! with no request that wants more rights than those to the bucket's own messages.

use async_nats::{HeaderMap, header, jetstream::context::PublishErrorKind};
use bytes::Bytes;

use crate::{
    Connection, Error,
    bus::{Heard, Left, Which},
};

/// What the operation header of a deleted key says; ours are deleted for good instead, but an
/// operator's tool may leave such a marker.
const OPERATION: &str = "KV-Operation";

/// A value and the revision it stands at.
pub(crate) struct Entry {
    pub(crate) value: Bytes,
    pub(crate) revision: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    connection: Connection,
    name: &'static str,
}

impl Bucket {
    pub(crate) fn new(connection: Connection, name: &'static str) -> Self {
        Self { connection, name }
    }

    fn stream(&self) -> String {
        format!("KV_{}", self.name)
    }

    fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        Ok(self.entry(key).await?.map(|entry| entry.value))
    }

    pub(crate) async fn entry(&self, key: &str) -> Result<Option<Entry>, Error> {
        let subject = self.subject(key);
        let last = Which::LastOn(&subject);
        let message = self.connection.leader_get(&self.stream(), last).await?;
        let message = message.filter(|m| m.headers.get(OPERATION).is_none());
        Ok(message.map(|m| Entry { value: m.payload, revision: m.sequence }))
    }

    /// Writes whatever stands there.
    pub(crate) async fn put(&self, key: &str, value: Vec<u8>) -> Result<u64, Error> {
        let revision = self.publish(key, value, None).await?;
        revision.ok_or_else(|| Error::unavailable("an unconditional write met a condition"))
    }

    /// Writes if the key stands at `revision` (0: not at all); `None` when it does not.
    pub(crate) async fn put_at(
        &self,
        key: &str,
        value: Vec<u8>,
        revision: u64,
    ) -> Result<Option<u64>, Error> {
        self.publish(key, value, Some(revision)).await
    }

    /// Hears what is written to a key.
    pub(crate) async fn subscribe(&self, key: &str) -> Result<Heard, Error> {
        self.connection.bus.subscribe(self.subject(key)).await
    }

    /// Deletes every revision of a key (which may have wildcards), overwriting its bytes on disk.
    /// Others may do the same meanwhile.
    pub(crate) async fn erase(&self, key: &str) -> Result<(), Error> {
        let (stream, subject) = (self.stream(), self.subject(key));
        let mut from = 1;
        loop {
            let next = Which::NextOn(&subject, from);
            let Some(message) = self.connection.leader_get(&stream, next).await? else {
                return Ok(());
            };
            self.delete(message.sequence, Left::Nothing).await?;
            from = message.sequence + 1;
        }
    }

    /// Deletes what stands at a key, and leaves its bytes on disk for a while: right for what is of no
    /// use to anybody, or sealed.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), Error> {
        let subject = self.subject(key);
        let last = self.connection.leader_get(&self.stream(), Which::LastOn(&subject)).await?;
        let Some(message) = last else { return Ok(()) };
        self.delete(message.sequence, Left::Bytes).await
    }

    /// The first message from this revision on, of any key: the key, the value, and its revision.
    /// Also of a key's earlier revisions.
    pub(crate) async fn next(&self, from: u64) -> Result<Option<(String, Entry)>, Error> {
        let (stream, all) = (self.stream(), self.subject(">"));
        let next = Which::NextOn(&all, from);
        let Some(message) = self.connection.leader_get(&stream, next).await? else {
            return Ok(None);
        };
        let key = message.subject.strip_prefix(&self.subject("")).unwrap_or_default().to_owned();
        Ok(Some((key, Entry { value: message.payload, revision: message.sequence })))
    }

    /// Deletes one revision; fine when it is gone already.
    pub(crate) async fn delete(&self, revision: u64, left: Left) -> Result<(), Error> {
        let Err(error) = self.delete_if_there(revision, left).await else { return Ok(()) };
        let stream = self.stream();
        let is_gone = self.connection.leader_get(&stream, Which::At(revision)).await?.is_none();
        if is_gone { Ok(()) } else { Err(error) }
    }

    /// The same; an error when it is gone already.
    pub(crate) async fn delete_if_there(&self, revision: u64, left: Left) -> Result<(), Error> {
        self.connection.bus.delete(&self.stream(), revision, left).await
    }

    async fn publish(
        &self,
        key: &str,
        value: Vec<u8>,
        expected: Option<u64>,
    ) -> Result<Option<u64>, Error> {
        let mut headers = HeaderMap::new();
        if let Some(revision) = expected {
            headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, revision.to_string());
        }
        let subject = self.subject(key);
        match self.connection.bus.publish(subject, headers, value.into()).await {
            Ok(ack) => Ok(Some(ack.sequence)),
            Err(error) if expected.is_some() && crate::append::is_conflict(&error) => Ok(None),
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                Err(Error::TooLarge)
            }
            Err(error) => Err(Error::unavailable(error)),
        }
    }
}
