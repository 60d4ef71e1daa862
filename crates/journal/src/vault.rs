//! Sealed documents: personal data and secrets, each under the data key of its verification.
//!
//! Destroying the data key erases every document of the verification, wherever copies of it are.

use std::sync::Arc;

use proofline_events::{VerificationKey, Word, v1::Outcome};
use proofline_seal::{DataKey, Keyring, OpenError, Subject};

use crate::{
    Connection, Error,
    bucket::Bucket,
    telemetry,
    topology::{DATA_KEYS, MAX_DOCUMENT_BYTES, PARAMETERS, SEALED},
};

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind<'a> {
    /// The normalised result, with Assure's whole answer. Two replicas that look at the same time
    /// may see different ends, of which one gets into the log: each end has its own document, so
    /// that the document always fits the end that counts.
    Result(Outcome),
    /// What the end-user needs: an SDK's token, an address. Each attempt at setting up has its own,
    /// which its event names, so that a late attempt can't put its own in the place of another's.
    NextAction(&'a str),
    /// The provider's members of Start verification; likewise one for each attempt at submitting.
    StartParameters(&'a str),
}

impl DocumentKind<'_> {
    fn name(self) -> String {
        match self {
            Self::Result(outcome) => format!("result-{}", outcome.word()),
            Self::NextAction(id) => format!("next-action.{id}"),
            Self::StartParameters(id) => format!("start-parameters.{id}"),
        }
    }
}

/// A document that can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no data key: never made, or erased.
    #[error("the data key is gone")]
    KeyGone,
    /// The document, sealed, is larger than NATS takes.
    #[error("the document is too large")]
    TooLarge,
    /// It was not sealed by us for this verification, or its key is no longer configured.
    #[error("the document cannot be opened")]
    Unreadable(#[source] OpenError),
    /// NATS.
    #[error(transparent)]
    Journal(#[from] Error),
}

/// Where sealed documents are.
#[derive(Debug, Clone)]
pub struct Vault {
    data_keys: Bucket,
    sealed: Bucket,
    parameters: Bucket,
    keyring: Arc<Keyring>,
}

impl Vault {
    /// A vault whose data keys are wrapped by this keyring.
    pub fn new(connection: &Connection, keyring: Arc<Keyring>) -> Self {
        telemetry::no_vault_failures_yet();
        Self {
            data_keys: Bucket::new(connection.clone(), DATA_KEYS),
            sealed: Bucket::new(connection.clone(), SEALED),
            parameters: Bucket::new(connection.clone(), PARAMETERS),
            keyring,
        }
    }

    /// Makes the verification's data key, if it has none. Only intake does, before anything else
    /// happens to a verification, so that nothing can be sealed after an erasure.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_key(&self, key: &VerificationKey) -> Result<(), Error> {
        let wrapped = self.keyring.wrap(&DataKey::generate(), subject(key));
        // A conflict means that there is one: an earlier attempt at the same creation made it.
        self.data_keys.put_at(&key.to_string(), wrapped, 0).await?;
        Ok(())
    }

    /// Seals a document, replacing an earlier one of its kind.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn put(
        &self,
        key: &VerificationKey,
        kind: DocumentKind<'_>,
        plaintext: &[u8],
    ) -> Result<(), VaultError> {
        let data_key = self.data_key(key).await?;
        let sealed = data_key.seal(subject(key), &kind.name(), plaintext);
        if sealed.len() > MAX_DOCUMENT_BYTES {
            return Err(VaultError::TooLarge);
        }
        match self.bucket_of(kind).put(&name(key, kind), sealed).await {
            // A server may be set to take less than provisioning demands.
            Err(Error::TooLarge) => Err(VaultError::TooLarge),
            put => Ok(put.map(drop)?),
        }
    }

    /// Opens a document; `None` when there is none.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn get(
        &self,
        key: &VerificationKey,
        kind: DocumentKind<'_>,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let sealed = self.bucket_of(kind).get(&name(key, kind)).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let data_key = self.data_key(key).await.inspect_err(|error| {
            // To seal without one is what happens after an erasure; a document without one is not.
            if matches!(error, VaultError::KeyGone) {
                telemetry::data_key_missing();
            }
        })?;
        let opened = data_key.open(subject(key), &kind.name(), &sealed);
        opened.map(Some).map_err(unreadable)
    }

    /// Removes a document that is of no more use. Its bytes may stay on disk for a while, sealed:
    /// what makes them unreadable is [`Vault::erase`], which destroys their key.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn discard(
        &self,
        key: &VerificationKey,
        kind: DocumentKind<'_>,
    ) -> Result<(), Error> {
        self.bucket_of(kind).remove(&name(key, kind)).await
    }

    /// Destroys the verification's data key, and with it all its documents, wherever copies of them
    /// are; then removes the documents too.
    ///
    /// # Errors
    /// [`Error`]; erasing again goes on where it stopped.
    pub async fn erase(&self, key: &VerificationKey) -> Result<(), Error> {
        self.data_keys.erase(&key.to_string()).await?;
        self.sealed.erase(&format!("{key}.>")).await?;
        self.parameters.erase(&format!("{key}.>")).await
    }

    fn bucket_of(&self, kind: DocumentKind<'_>) -> &Bucket {
        match kind {
            DocumentKind::Result(_) | DocumentKind::NextAction(_) => &self.sealed,
            DocumentKind::StartParameters(_) => &self.parameters,
        }
    }

    async fn data_key(&self, key: &VerificationKey) -> Result<DataKey, VaultError> {
        let wrapped = self.data_keys.get(&key.to_string()).await?.ok_or(VaultError::KeyGone)?;
        self.keyring.unwrap(&wrapped, subject(key)).map_err(unreadable)
    }
}

fn unreadable(error: OpenError) -> VaultError {
    telemetry::not_opened(&error);
    VaultError::Unreadable(error)
}

fn name(key: &VerificationKey, kind: DocumentKind<'_>) -> String {
    format!("{key}.{}", kind.name())
}

fn subject(key: &VerificationKey) -> Subject<'_> {
    Subject { tenant: key.tenant.as_str(), verification_id: key.id.as_str() }
}
