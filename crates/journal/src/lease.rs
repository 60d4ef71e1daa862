//! Leases: who is creating a verification, so that "in progress" can be told from "crashed".

use proofline_events::VerificationKey;

use crate::{Connection, Error, bucket::Bucket, bus::Left, topology::LEASES};

/// The right to set up one verification, for as long as it is renewed. An unrenewed one is free
/// again after the bucket's age, 30 s.
#[derive(Debug)]
pub struct Lease {
    bucket: Bucket,
    key: String,
    revision: u64,
}

impl Lease {
    /// Takes the lease; `None` when another holds it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn take(
        connection: &Connection,
        key: &VerificationKey,
    ) -> Result<Option<Self>, Error> {
        let bucket = Bucket::new(connection.clone(), LEASES);
        let key = key.to_string();
        let revision = bucket.put_at(&key, Vec::new(), 0).await?;
        Ok(revision.map(|revision| Self { bucket, key, revision }))
    }

    /// Holds it for another 30 s; `false` when it was lost, and another may hold it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn renew(&mut self) -> Result<bool, Error> {
        match self.bucket.put_at(&self.key, Vec::new(), self.revision).await? {
            Some(revision) => {
                self.revision = revision;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Gives it back, unless another holds it by now: that is another revision. One that can't be
    /// given back runs out.
    pub async fn release(self) {
        if let Err(error) = self.bucket.delete_if_there(self.revision, Left::Bytes).await {
            tracing::debug!(%error, "a lease could not be given back: it runs out by itself");
        }
    }
}
