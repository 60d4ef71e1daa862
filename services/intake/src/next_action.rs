//! What the end-user needs to go on: an SDK's token, an address. Secrets, so they are sealed, and
//! nowhere else.

use proofline_ambient::chance;
use proofline_assure::wire;
use proofline_callers::of_journal;
use proofline_events::VerificationKey;
use proofline_journal::{DocumentKind, Vault, VaultError};
use proofline_problem::Problem;
use proofline_verification::{Status, Verification};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Members of an answer to Create process that are no artefacts of the provider's.
const COMMON: [&str; 10] = [
    "createdAt",
    "updatedAt",
    "documentPages",
    "providerApiUrl",
    "eventTags",
    "notificationUrl",
    "authorizationHeader",
    "dossierId",
    "redirectUrl",
    "url",
];

/// What the end-user needs. Not `Debug`, as all of it is secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum EndUserAction {
    /// The provider's SDK.
    UseSdk(Sdk),
    /// A page, here or elsewhere.
    Redirect {
        /// Its address.
        url: String,
    },
}

/// What the provider's SDK is started with.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Sdk {
    /// The SDK's token.
    #[schema(required = true)]
    token: Option<String>,
    /// Where the provider is reached.
    #[schema(required = true)]
    provider_url: Option<String>,
    /// The provider's other artefacts, under its own names.
    details: Map<String, Value>,
}

impl Sdk {
    pub(crate) fn of(created: &wire::ProcessCreated) -> Self {
        let artefacts = created.artefacts.iter();
        let details = artefacts.filter(|(name, _)| !COMMON.contains(&name.as_str()));
        Self {
            token: created.authorization.clone(),
            provider_url: text(created, "providerApiUrl"),
            details: details.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }
}

impl EndUserAction {
    pub(crate) fn into_sdk(self) -> Option<Sdk> {
        match self {
            Self::UseSdk(sdk) => Some(sdk),
            Self::Redirect { .. } => None,
        }
    }

    /// The page whose address is the first of these members that the answer has.
    pub(crate) fn page_of(created: &wire::ProcessCreated, members: &[String]) -> Option<Self> {
        let url = members.iter().find_map(|name| text(created, name))?;
        Some(Self::Redirect { url })
    }

    /// Seals it under a name of its own, which is answered; `None` when the verification has no
    /// data key any more, as it is being erased.
    ///
    /// # Errors
    /// [`VaultError`].
    pub(crate) async fn seal(
        &self,
        vault: &Vault,
        key: &VerificationKey,
    ) -> Result<Option<String>, VaultError> {
        let id = chance::id().simple().to_string();
        let document = serde_json::to_vec(self).expect("texts can be written as JSON");
        match vault.put(key, DocumentKind::NextAction(&id), &document).await {
            Ok(()) => Ok(Some(id)),
            Err(VaultError::KeyGone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens what is sealed for a verification, as long as somebody can act on it.
    ///
    /// # Errors
    /// The problem that NATS is away.
    pub(crate) async fn open(
        vault: &Vault,
        verification: &Verification,
    ) -> Result<Option<Self>, Problem> {
        let can_act =
            matches!(verification.status(), Status::AwaitingEndUser | Status::AwaitingImages)
                && !verification.is_cancellation_requested;
        let id = verification.process.as_ref().and_then(|process| process.next_action_id.as_ref());
        let Some(id) = id.filter(|_| can_act) else { return Ok(None) };
        match vault.get(&verification.key, DocumentKind::NextAction(id)).await {
            Ok(document) => Ok(document.and_then(|text| serde_json::from_slice(&text).ok())),
            Err(VaultError::Journal(error)) => Err(of_journal(&error)),
            // It has just ended, or was restored without its data key.
            Err(VaultError::KeyGone) => Ok(None),
            Err(error @ (VaultError::TooLarge | VaultError::Unreadable(_))) => {
                tracing::error!(verification.id = %verification.key.id, %error, "a next action can't be opened");
                Ok(None)
            }
        }
    }
}

fn text(created: &wire::ProcessCreated, name: &str) -> Option<String> {
    let value = created.artefacts.get(name)?.as_str()?;
    Some(value.to_owned()).filter(|text| !text.is_empty())
}
