//! What each provider wants and gives, as the reference tables it.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::store::Depiction;

/// A provider of identity proofing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provider {
    Onfido,
    SignicatVideoid,
    Readid,
    SignicatPaper,
    SignicatPictureid,
    Facetec,
    Webid,
    /// `connect:<method>`, whole.
    Connect(String),
}

impl Provider {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "onfido" => Self::Onfido,
            "signicatvideoid" => Self::SignicatVideoid,
            "readid" => Self::Readid,
            "signicatpaper" => Self::SignicatPaper,
            "signicatpictureid" => Self::SignicatPictureid,
            "facetec" => Self::Facetec,
            "webid" => Self::Webid,
            _ => match name.strip_prefix("connect:") {
                Some(method) if !method.is_empty() => Self::Connect(name.to_owned()),
                _ => return None,
            },
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Onfido => "onfido",
            Self::SignicatVideoid => "signicatvideoid",
            Self::Readid => "readid",
            Self::SignicatPaper => "signicatpaper",
            Self::SignicatPictureid => "signicatpictureid",
            Self::Facetec => "facetec",
            Self::Webid => "webid",
            Self::Connect(name) => name,
        }
    }

    fn process_types(&self) -> &'static [&'static str] {
        match self {
            Self::Onfido => &["documentSelfie", "document", "documentVideo"],
            Self::SignicatVideoid => &["high", "substantial", "substantialFullyAuto"],
            Self::Readid => &["sdk", "ready"],
            Self::SignicatPictureid => &["documentSelfie", "document"],
            Self::Webid => &["videoid", "accountid"],
            Self::SignicatPaper | Self::Facetec | Self::Connect(_) => &[],
        }
    }

    /// The process type in effect: as asked for, or the provider's default.
    ///
    /// # Errors
    ///
    /// A type that the provider doesn't have; none where it states no default (WebID).
    pub(crate) fn process_type(
        &self,
        wanted: Option<&str>,
    ) -> Result<Option<&'static str>, &'static str> {
        let known = self.process_types();
        match wanted {
            None if *self == Self::Webid => Err("webid needs a processType."),
            None => Ok(known.first().copied()),
            Some(wanted) => match known.iter().find(|k| **k == wanted) {
                Some(found) => Ok(Some(found)),
                None => Err("The provider has no such processType."),
            },
        }
    }

    /// What may be uploaded through the API.
    pub(crate) fn depictions(&self, process_type: Option<&str>) -> &'static [Depiction] {
        use Depiction::{Back, Front, Selfie};
        match (self, process_type) {
            (Self::Onfido | Self::SignicatPictureid, Some("documentSelfie")) => {
                &[Front, Back, Selfie]
            }
            (Self::Onfido | Self::SignicatPictureid, Some("document"))
            | (Self::SignicatPaper, _) => &[Front, Back],
            (Self::Facetec, _) => &[Front, Selfie],
            _ => &[],
        }
    }

    /// Whether Get image knows `portrait`.
    pub(crate) fn has_portrait(&self) -> bool {
        matches!(self, Self::SignicatVideoid | Self::Readid)
    }

    /// Whether Start verification answers 204 instead of 200 with a body.
    pub(crate) fn starts_without_body(&self) -> bool {
        matches!(self, Self::Readid | Self::Webid)
    }

    /// The members that Create process answers beyond the common ones, but for addresses of pages.
    pub(crate) fn artefacts(
        &self,
        process_type: Option<&str>,
        pages: Option<u8>,
    ) -> Map<String, Value> {
        let token = || json!(format!("simulated-sdk-token-{}", Uuid::new_v4().simple()));
        let artefacts = match self {
            Self::Onfido => json!({"authorization": token()}),
            Self::SignicatVideoid => json!({
                "authorization": token(),
                "providerApiUrl": "https://videoid.simulator.example",
            }),
            Self::Readid if process_type == Some("ready") => json!({
                "base64QRCode": "iVBORw0KGgo=",
            }),
            Self::Readid => json!({
                "authorization": token(),
                "providerApiUrl": "https://readid.simulator.example",
            }),
            Self::Facetec => json!({
                "authorization": token(),
                "facetecDeviceKeyIdentifier": "simulated-device-key",
                "facetecEncryptionPublicKey": "simulated-public-key",
                "facetecMobileSdkProductionKey": "simulated-production-key",
            }),
            Self::SignicatPictureid => json!({"documentPages": pages}),
            Self::SignicatPaper | Self::Webid | Self::Connect(_) => json!({}),
        };
        let Value::Object(members) = artefacts else { return Map::new() };
        members
    }
}
