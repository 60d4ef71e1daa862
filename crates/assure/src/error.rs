//! What can go wrong, sorted by what can be done about it.

use std::{fmt, time::Duration};

use crate::{Lost, wire::ErrorBody};

/// A call that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Assure understood and said no. Asking again is pointless.
    #[error("{0}")]
    Refused(Refusal),
    /// Assure wants to be left alone, or is left alone already because it said so before.
    #[error("Assure must be left alone for {} ms", retry_after.as_millis())]
    Limited {
        /// For how long.
        retry_after: Duration,
    },
    /// Assure could not be reached, was too slow, or answered what makes no sense.
    #[error("Assure is not available: {cause}")]
    Unavailable {
        /// What happened, without addresses or contents.
        cause: &'static str,
        /// Whether Assure may have done what was asked all the same.
        may_have_happened: bool,
    },
    /// Our credentials are not accepted: an operator must act.
    #[error("Assure does not accept our credentials")]
    Credentials,
    /// The stream that was to be sent broke off; Assure has not got all of it.
    #[error("the image broke off")]
    SourceBroke,
}

/// A refusal. `Debug` and `Display` show status and trace id alone: Assure's sentences may quote
/// the request.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Assure's short text, for the caller.
    pub title: Option<String>,
    /// Assure's longer text, for the caller.
    pub detail: Option<String>,
    /// What Assure's support asks for.
    pub trace_id: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, body: ErrorBody) -> Self {
        // A trace id is 32 hex digits; anything else has no business in our log.
        let is_id = |id: &String| {
            id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        Self {
            status,
            title: body.title,
            detail: body.detail,
            trace_id: body.trace_id.filter(is_id),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assure refused with status {}", self.status)?;
        match &self.trace_id {
            Some(id) => write!(f, ", trace id {id}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// Whether trying again later can help, and when if Assure said so.
    pub fn retry_after(&self) -> Option<Option<Duration>> {
        match self {
            Self::Limited { retry_after } => Some(Some(*retry_after)),
            Self::Unavailable { .. } | Self::Credentials => Some(None),
            Self::Refused(_) | Self::SourceBroke => None,
        }
    }

    /// The name in metrics and spans.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Limited { .. } => "limited",
            Self::Unavailable { .. } => "unavailable",
            Self::Credentials => "credentials",
            Self::SourceBroke => "source_broke",
        }
    }

    /// A failure of the transport. Only what never reached a server surely did not happen.
    pub(crate) fn transport(lost: Lost) -> Self {
        let (cause, may_have_happened) = match lost {
            Lost::NoConnection => ("no connection", false),
            Lost::TimedOut => ("no answer in time", true),
            Lost::Broken => ("the connection broke", true),
        };
        Self::Unavailable { cause, may_have_happened }
    }

    /// An answer that makes no sense.
    pub(crate) fn nonsense(cause: &'static str) -> Self {
        Self::Unavailable { cause, may_have_happened: true }
    }
}
