//! The words of the HTTP API for protobuf's enums: `OUTCOME_ACCEPTED` is `accepted` there.

use crate::v1::{CaptureBy, Depiction, Flow, Outcome, SignalSource};

/// An enum with one word for each value but the unspecified one.
pub trait Word: Sized + Copy + PartialEq + 'static {
    /// Every value but the unspecified one, in order.
    const ALL: &[Self];

    /// The word; empty for the unspecified value.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }
}

macro_rules! words {
    ($($name:ident { $($variant:ident $word:literal,)* })*) => {
        $(impl Word for $name {
            const ALL: &[Self] = &[$(Self::$variant,)*];

            fn word(self) -> &'static str {
                match self { Self::Unspecified => "", $(Self::$variant => $word,)* }
            }
        })*
    };
}

words! {
    Flow { Document "document", Capture "capture", Eid "eid", }
    CaptureBy { Upload "upload", Sdk "sdk", Page "page", }
    Depiction { Front "front", Back "back", Selfie "selfie", }
    Outcome {
        Accepted "accepted", Rejected "rejected", Inconclusive "inconclusive",
        Canceled "canceled", Failed "failed", Expired "expired",
    }
    SignalSource {
        Callback "callback", Webhook "webhook", Return "return",
        Reconciliation "reconciliation", Deadline "deadline",
    }
}
