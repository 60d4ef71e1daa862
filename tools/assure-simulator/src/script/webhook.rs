//! How the webhook event of one process goes astray, if it does.

use std::time::Duration;

use proofline_settings::parse_duration;
use serde::{Deserialize, Serialize};

use super::{as_millis, millis, set};

/// What becomes of the event `process.complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookPlan {
    /// None is sent.
    pub lost: bool,
    /// How many are sent, all at once and with the same id.
    pub copies: u32,
    /// The tags are left out.
    pub untagged: bool,
    /// Pause between the end and the event.
    #[serde(rename = "delayMs", serialize_with = "as_millis")]
    pub delay: Duration,
}

impl Default for WebhookPlan {
    fn default() -> Self {
        Self { lost: false, copies: 1, untagged: false, delay: Duration::ZERO }
    }
}

/// Part of a plan: what is absent stays as it was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WebhookChange {
    lost: Option<bool>,
    copies: Option<u32>,
    untagged: Option<bool>,
    delay_ms: Option<u64>,
}

impl WebhookChange {
    pub(super) fn apply(&self, plan: &mut WebhookPlan) {
        set(&mut plan.lost, self.lost);
        set(&mut plan.copies, self.copies);
        set(&mut plan.untagged, self.untagged);
        set(&mut plan.delay, millis(self.delay_ms));
    }
}

impl WebhookPlan {
    /// Takes a word to heart; false when it is none of these.
    pub(super) fn heeds(&mut self, word: &str) -> bool {
        match word {
            "webhook-lost" => self.lost = true,
            "webhook-doubled" => self.copies = 2,
            "webhook-untagged" => self.untagged = true,
            _ => {
                let delay = word.strip_prefix("webhook-delay=").map(parse_duration);
                let Some(Ok(delay)) = delay else { return false };
                self.delay = delay;
            }
        }
        true
    }
}
