//! What came too late: after an erasure, or after the caller has discarded the verification.

use std::time::Duration;

use proofline_ambient::clock;
use proofline_events::{VerificationKey, v1::Flow};
use proofline_journal::{Due, TimerKind, worker::Failure};
use proofline_verification::Verification;

use super::Normaliser;

/// How long to wait before looking again whether a sealed result came too late.
const REMOVE_AGAIN: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(9),
    Duration::from_secs(27),
];

impl Normaliser {
    /// A look that stood still may have sealed its result after an erasure, under a data key that it
    /// had read before. Nobody can open that, and nobody would ever remove it.
    pub(super) async fn remove_late(&self, over: &Verification) -> Result<(), Failure> {
        if over.is_erasure_requested {
            self.vault.erase(&over.key).await?;
        }
        Ok(())
    }

    /// The same, where it is not known what came of the look: its signal may have been handled by
    /// another meanwhile, and then does not come again.
    pub(super) async fn remove_if_erased(&self, key: &VerificationKey) {
        for after in REMOVE_AGAIN {
            pause(after).await;
            let removed = async {
                let latest = self.journal.read_latest(key).await?;
                match &latest.verification {
                    Some(verification) => self.remove_late(verification).await,
                    None => Ok(()),
                }
            };
            if removed.await.is_ok() {
                return;
            }
        }
        tracing::warn!(verification.id = %key.id, "if it was erased meanwhile, a sealed document that nobody can open is left");
    }

    /// Whoever kept the address of a capture's page can go there also after the caller has discarded
    /// the verification: what that makes in Assure must not stay there.
    pub(super) async fn delete_late(&self, over: &Verification) -> Result<(), Failure> {
        if over.is_discarded() && over.request.flow == Flow::Capture {
            let due = Due { key: over.key.clone(), at: clock::now(), round: 0 };
            self.journal.reset_timer(TimerKind::DeleteInAssure, &due).await?;
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause before something is tried again")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
