//! What can go wrong between a service and the log.

use proofline_events::Mismatch;
use proofline_verification::Refusal;

/// A read or an append that did not work out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// NATS is away, has no leader now, or does not answer in time. Trying again is right.
    #[error("NATS is not available: {0}")]
    Unavailable(String),
    /// The server refuses for good: a setting or a permission is wrong.
    #[error("NATS refuses: {0}")]
    Refused(String),
    /// The message is larger than the server takes.
    #[error("the message is larger than NATS takes")]
    TooLarge,
    /// A message in the log is not what its subject says.
    #[error("the log holds a message that cannot be read")]
    Corrupt(#[source] Mismatch),
    /// Others kept appending in between.
    #[error("the verification was changed too often in between")]
    Contended,
}

/// A command that was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The verification's state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The log could not be read or written.
    #[error(transparent)]
    Journal(#[from] Error),
}

impl Error {
    /// The name in spans.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Refused(_) => "refused",
            Self::TooLarge => "too_large",
            Self::Corrupt(_) => "corrupt",
            Self::Contended => "contended",
        }
    }

    pub(crate) fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self::Unavailable(cause.to_string())
    }
}
