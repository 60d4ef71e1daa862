//! Process statuses, as Assure spells them.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a process stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Status {
    /// Created, no verification requested yet.
    Pending,
    /// Verification requested, the provider has not answered. As a scripted outcome: never ends.
    Processing,
    /// All checks passed.
    Accepted,
    /// Neither clearly accepted nor rejected.
    Inconclusive,
    /// A decisive check failed.
    Rejected,
    /// The end-user or a time-out ended the flow.
    Canceled,
    /// A technical failure.
    Failed,
    /// A status the reference does not know; final, since only `pending` and `processing` are not.
    Other(String),
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Accepted => "accepted",
            Self::Inconclusive => "inconclusive",
            Self::Rejected => "rejected",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::Other(word) => word,
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Pending | Self::Processing => false,
            Self::Accepted
            | Self::Inconclusive
            | Self::Rejected
            | Self::Canceled
            | Self::Failed
            | Self::Other(_) => true,
        }
    }

    /// Whether the reference lists it.
    pub(crate) fn is_documented(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl From<String> for Status {
    fn from(word: String) -> Self {
        match word.as_str() {
            "pending" => Self::Pending,
            "processing" => Self::Processing,
            "accepted" => Self::Accepted,
            "inconclusive" => Self::Inconclusive,
            "rejected" => Self::Rejected,
            "canceled" => Self::Canceled,
            "failed" => Self::Failed,
            _ => Self::Other(word),
        }
    }
}

impl From<&str> for Status {
    fn from(word: &str) -> Self {
        Self::from(word.to_owned())
    }
}

impl FromStr for Status {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(word))
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.as_str().to_owned()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
