//! The ways in which an end-user is verified.

use serde_json::{Value, json};

pub(crate) const TENANT: &str = "demo";
const BACK: &str = "https://app.demo.example/done";

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Images through us, submitted by the caller.
    Upload,
    /// Images through us, submitted by itself.
    UploadAtOnce,
    /// The provider's SDK.
    Sdk,
    /// The provider's page.
    Page,
    /// Assure's page.
    Capture,
    /// A log-in.
    Eid,
}

impl Way {
    pub(crate) const ALL: [Self; 7] = [
        Self::Upload,
        Self::UploadAtOnce,
        Self::UploadAtOnce,
        Self::Sdk,
        Self::Page,
        Self::Capture,
        Self::Eid,
    ];

    pub(crate) fn takes_images(self) -> bool {
        matches!(self, Self::Upload | Self::UploadAtOnce)
    }

    pub(crate) fn is_submitted(self) -> bool {
        matches!(self, Self::Upload | Self::Sdk)
    }

    /// What is asked for.
    pub(crate) fn body(self) -> Value {
        let mut body = match self {
            Self::Upload => json!({
                "flow": "document", "provider": "onfido", "process_type": "documentSelfie",
                "document": { "type": "passport" },
            }),
            Self::UploadAtOnce => json!({
                "flow": "document", "provider": "onfido", "process_type": "documentSelfie",
                "document": { "type": "passport" }, "submit_when": ["front", "selfie"],
            }),
            Self::Sdk => json!({
                "flow": "document", "provider": "onfido", "process_type": "documentVideo",
                "capture_by": "sdk",
            }),
            Self::Page => json!({
                "flow": "document", "provider": "webid", "process_type": "videoid",
                "capture_by": "page", "return_url": BACK,
            }),
            Self::Capture => json!({
                "flow": "capture", "provider": "onfido", "process_type": "documentSelfie",
                "return_url": BACK,
            }),
            Self::Eid => {
                json!({ "flow": "eid", "provider": "connect:idin", "return_url": BACK })
            }
        };
        body["user_data"] = json!({ "firstName": "Ada" });
        body
    }
}
