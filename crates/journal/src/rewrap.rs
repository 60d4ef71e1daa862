//! Wrapping every data key anew under the first key, so that an older one may go.

use std::sync::Arc;

use proofline_events::{EventType, Service, VerificationKey};
use proofline_seal::{Keyring, OpenError, Subject};

use crate::{
    Connection, Error, Journal,
    bucket::{Bucket, Entry},
    bus::Left,
    topology::DATA_KEYS,
};

/// A walk over all data keys. It may break off anywhere: the next one goes on, as what is wrapped
/// under the first key is passed over.
#[derive(Debug)]
pub struct Rewrap {
    data_keys: Bucket,
    journal: Journal,
    keyring: Arc<Keyring>,
    /// Whether it only looks.
    is_dry: bool,
    next: u64,
}

/// A wrapping that was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrapping {
    /// It is under the first key.
    Current,
    /// It was under this key, and is (or would be) under the first one. Its new wrapping is met
    /// again, as [`Wrapping::Current`], later in the same walk.
    Renewed {
        /// The id of the key it was under.
        from: String,
    },
    /// A newer one has taken its place, or an erasure: it is gone now.
    Replaced,
    /// It can't be opened.
    Unreadable {
        /// Whose it is.
        owner: String,
        /// Why.
        why: OpenError,
    },
}

impl Rewrap {
    /// A walk from the beginning. If `is_dry`, nothing is written.
    pub fn new(connection: &Connection, keyring: Arc<Keyring>, is_dry: bool) -> Self {
        Self {
            data_keys: Bucket::new(connection.clone(), DATA_KEYS),
            journal: Journal::new(connection.clone(), Service::Intake),
            keyring,
            is_dry,
            next: 1,
        }
    }

    /// Takes the next wrapping; `None` at the end.
    ///
    /// # Errors
    /// [`Error`]; asking again goes on with the same one.
    pub async fn step(&mut self) -> Result<Option<Wrapping>, Error> {
        let Some((name, entry)) = self.data_keys.next(self.next).await? else { return Ok(None) };
        let revision = entry.revision;
        let wrapping = self.take(&name, entry).await?;
        self.next = revision + 1;
        Ok(Some(wrapping))
    }

    async fn take(&self, name: &str, entry: Entry) -> Result<Wrapping, Error> {
        let unreadable = |why| Ok(Wrapping::Unreadable { owner: name.to_owned(), why });
        let parsed = name.split_once('.');
        let parsed = parsed.and_then(|(tenant, id)| VerificationKey::parse(tenant, id).ok());
        let (Some(key), Some(under)) = (parsed, Keyring::wrapped_under(&entry.value)) else {
            return unreadable(OpenError::Forged);
        };
        if self.keyring.ids().next() == Some(under) {
            return Ok(Wrapping::Current);
        }
        let subject = Subject { tenant: key.tenant.as_str(), verification_id: key.id.as_str() };
        let data_key = match self.keyring.unwrap(&entry.value, subject) {
            Ok(data_key) => data_key,
            Err(why) => return unreadable(why),
        };
        let (from, revision) = (under.to_owned(), entry.revision);
        if self.is_dry {
            return Ok(Wrapping::Renewed { from });
        }
        let wrapped = self.keyring.wrap(&data_key, subject);
        let is_stored = self.data_keys.put_at(name, wrapped, revision).await?.is_some();
        let newest = self.data_keys.entry(name).await?;
        if newest.is_some_and(|newest| newest.revision == revision) {
            // Whatever the answer said: without the old one nothing of it could be read.
            return Err(Error::unavailable("a data key's new wrapping is not stored yet"));
        }
        // An erasure that found nothing more to delete just before the new wrapping was stored: it
        // stood in the log before it began. Also if nothing was stored now: an earlier attempt may
        // have done so, unanswered.
        if self.journal.is_recorded(&key, EventType::ErasureRequested).await? {
            self.data_keys.erase(name).await?;
            return Ok(Wrapping::Replaced);
        }
        // Only now. Of a walk that broke off here the next one finds the old wrapping, which is not
        // the newest any more.
        self.data_keys.delete(revision, Left::Nothing).await?;
        Ok(if is_stored { Wrapping::Renewed { from } } else { Wrapping::Replaced })
    }
}
