//! Hearing early of what happens, without believing it.

use std::time::Duration;

use futures_util::StreamExt;
use proofline_events::{EventType, VerificationKey};
use tokio::time::timeout;

use crate::{Error, Journal, bus::Heard};

/// A hint may be lost, as a plain subscription keeps nothing: look after this, then after ever longer, …
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// … up to this. Thousands may wait, and hardly a hint is ever lost.
const LAST_LOOK: Duration = Duration::from_secs(16);
/// A plain subscription hears an append before it is stored: look again soon after it, some times,
/// each time after twice as long.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const LOOKS_AFTER_HEARING: u32 = 7;

/// Tells when it is worth reading a verification again.
pub struct Hint {
    heard: Heard,
    /// How long to wait when nothing is heard.
    patience: Duration,
    /// How many of the looks after hearing are left.
    looks_left: u32,
}

impl Hint {
    /// Listens for the end of a verification.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn of_the_end(journal: &Journal, key: &VerificationKey) -> Result<Self, Error> {
        Self::of(journal, EventType::ProcessFinished.subject(key)).await
    }

    /// Listens for anything that happens to a verification.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn of_anything(journal: &Journal, key: &VerificationKey) -> Result<Self, Error> {
        Self::of(journal, key.family()).await
    }

    async fn of(journal: &Journal, subject: String) -> Result<Self, Error> {
        let heard = journal.connection.bus.subscribe(subject).await?;
        Ok(Self { heard, patience: FIRST_LOOK, looks_left: 0 })
    }

    /// Waits until it is worth reading again: after what was heard, and now and then anyway.
    pub async fn next(&mut self) {
        let wait = match self.looks_left {
            0 => self.patience,
            left => LOOK_AGAIN * 2_u32.pow(LOOKS_AFTER_HEARING - left),
        };
        match timeout(wait, self.heard.next()).await {
            Ok(Some(_)) => (self.patience, self.looks_left) = (FIRST_LOOK, LOOKS_AFTER_HEARING),
            // The connection is gone for good; whoever reads next is told.
            Ok(None) => std::future::pending().await,
            Err(_) if self.looks_left > 0 => self.looks_left -= 1,
            Err(_) => self.patience = (self.patience * 2).min(LAST_LOOK),
        }
    }
}
