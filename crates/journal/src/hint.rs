//! Hearing early of what happens, without believing it.

mod ends;

use std::time::Duration;

use futures_util::StreamExt;
use proofline_events::VerificationKey;
use tokio::time::timeout;

use crate::{Error, Journal, bus::Heard};
use ends::Awaited;
pub(crate) use ends::Ends;

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
    source: Source,
    /// How long to wait when nothing is heard.
    patience: Duration,
    /// How many of the looks after hearing are left.
    looks_left: u32,
}

/// Where hints come from.
enum Source {
    /// Thousands may wait for an end: they share a subscription.
    End(Awaited),
    /// All that happens to one verification.
    Anything(Heard),
}

impl Hint {
    /// Listens for the end of a verification.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn of_the_end(journal: &Journal, key: &VerificationKey) -> Result<Self, Error> {
        let awaited = journal.ends.wait_for(&journal.connection, key).await?;
        Ok(Self::of(Source::End(awaited)))
    }

    /// Listens for anything that happens to a verification.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn of_anything(journal: &Journal, key: &VerificationKey) -> Result<Self, Error> {
        let heard = journal.connection.bus.subscribe(key.family()).await?;
        Ok(Self::of(Source::Anything(heard)))
    }

    fn of(source: Source) -> Self {
        Self { source, patience: FIRST_LOOK, looks_left: 0 }
    }

    /// Waits until it is worth reading again: after what was heard, and now and then anyway.
    pub async fn next(&mut self) {
        let wait = match self.looks_left {
            0 => self.patience,
            left => LOOK_AGAIN * 2_u32.pow(LOOKS_AFTER_HEARING - left),
        };
        match timeout(wait, self.source.next()).await {
            Ok(()) => (self.patience, self.looks_left) = (FIRST_LOOK, LOOKS_AFTER_HEARING),
            Err(_) if self.looks_left > 0 => self.looks_left -= 1,
            Err(_) => self.patience = (self.patience * 2).min(LAST_LOOK),
        }
    }
}

impl Source {
    /// Returns when something is heard. Never, once the connection is gone for good: whoever looks
    /// next is told so.
    async fn next(&mut self) {
        match self {
            Self::End(awaited) => awaited.next().await,
            Self::Anything(heard) => {
                if heard.next().await.is_none() {
                    std::future::pending().await
                }
            }
        }
    }
}
