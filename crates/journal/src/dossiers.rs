//! Who shares a dossier, in the order in which they came.
//!
//! A dossier that one verification has for itself stands nowhere here. As soon as another joins it,
//! both are on its list: nobody joins while the newest of them is unfinished, so that each process
//! belongs to somebody, and the dossier goes with the last of them.

use proofline_events::{TenantName, VerificationId};
use sha2::{Digest, Sha256};

use crate::{Connection, Error, bucket::Bucket, topology::DOSSIERS};

/// How often a list is read again because another changed it in between.
const MAX_CONFLICTS: usize = 20;

/// The lists of all shared dossiers.
#[derive(Debug, Clone)]
pub struct Dossiers {
    bucket: Bucket,
}

/// The verifications that share a dossier, the newest last; and the revision of their list.
#[derive(Debug)]
pub struct Members {
    /// Their ids; empty for a dossier that is not shared.
    pub ids: Vec<VerificationId>,
    revision: u64,
}

impl Members {
    /// Whether there is, or was, a list: a dossier that was never shared has none.
    pub fn is_list(&self) -> bool {
        self.revision > 0
    }

    /// Whether the last of them has left: the dossier is deleted, or about to be.
    pub fn is_gone(&self) -> bool {
        self.is_list() && self.ids.is_empty()
    }
}

impl Dossiers {
    /// Lists behind this connection.
    pub fn new(connection: &Connection) -> Self {
        Self { bucket: Bucket::new(connection.clone(), DOSSIERS) }
    }

    /// Who shares it, as the leader knows.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn members(&self, tenant: &TenantName, dossier: &str) -> Result<Members, Error> {
        let entry = self.bucket.entry(&name(tenant, dossier)).await?;
        let Some(entry) = entry else { return Ok(Members { ids: Vec::new(), revision: 0 }) };
        let text = String::from_utf8_lossy(&entry.value);
        let ids = text.split_ascii_whitespace().filter_map(|id| VerificationId::parse(id).ok());
        Ok(Members { ids: ids.collect(), revision: entry.revision })
    }

    /// Puts this list in the place of the one that was read; whether nobody else did so meanwhile.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn replace(
        &self,
        tenant: &TenantName,
        dossier: &str,
        read: &Members,
        ids: &[VerificationId],
    ) -> Result<bool, Error> {
        let list = ids.iter().map(VerificationId::as_str).collect::<Vec<_>>().join(" ");
        let key = name(tenant, dossier);
        Ok(self.bucket.put_at(&key, list.into_bytes(), read.revision).await?.is_some())
    }

    /// Takes a verification off the list; whether the dossier may go, as nobody else is left. A
    /// verification that is not the dossier's first and never got onto the list has no say in that.
    ///
    /// # Errors
    /// [`Error`], also when others change the list all the time.
    pub async fn leave(
        &self,
        tenant: &TenantName,
        dossier: &str,
        id: &VerificationId,
        is_first: bool,
    ) -> Result<bool, Error> {
        for _ in 0..MAX_CONFLICTS {
            let members = self.members(tenant, dossier).await?;
            let is_alone = is_first && !members.is_list();
            // Also written down where there never was a list, before the dossier goes: whoever would
            // share it from then on must not get what is about to be deleted.
            if !members.ids.contains(id) && !is_alone {
                return Ok(members.is_gone());
            }
            let left: Vec<_> = members.ids.iter().filter(|member| *member != id).cloned().collect();
            if self.replace(tenant, dossier, &members, &left).await? {
                return Ok(left.is_empty());
            }
        }
        Err(Error::Contended)
    }
}

/// Assure's id is opaque, and may have what no key may have.
fn name(tenant: &TenantName, dossier: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(dossier).into();
    let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{tenant}.{hex}")
}
