//! Creating the process, and what of it the end-user needs.

use proofline_events::v1::{CaptureBy, Flow};
use proofline_seal::{Capability, Purpose};
use proofline_verification::{ProcessDetails, Verification, provider};
use secrecy::ExposeSecret;
use time::Duration;

use super::{Failure, SetUp};
use crate::{
    creation::bodies::Own,
    next_action::{EndUserAction, Sdk},
};

/// A capability outlives the deadline by this, for late callbacks.
const CAPABILITY_AFTER_DEADLINE: Duration = Duration::days(7);

impl SetUp<'_> {
    /// A new process, or for a capture the page that will make it; and what the end-user needs.
    pub(super) async fn create(
        &self,
        dossier_id: &str,
        verification: &Verification,
    ) -> Result<(ProcessDetails, Option<EndUserAction>), Failure> {
        let assure = self.assure();
        let address = self.return_address(verification);
        let own = Own {
            tag: format!("proofline:{}:{}", self.key.tenant, self.key.id),
            return_address: address.as_deref(),
            callback: self.callback(verification),
        };
        if self.creation.flow == Flow::Capture {
            let started = assure.start_capture(dossier_id, &self.creation.capture(own)).await?;
            let url = started.url.filter(|url| !url.is_empty()).ok_or(Failure::NoPage)?;
            return Ok((ProcessDetails::default(), Some(EndUserAction::Redirect { url })));
        }
        let created = assure.create_process(dossier_id, &self.creation.process(own)).await?;
        let pages = created.artefacts.get("documentPages").and_then(serde_json::Value::as_u64);
        let action = if address.is_some() {
            let members = &self.app.settings.page_members;
            let page = EndUserAction::page_of(&created, members);
            if page.is_none() {
                tracing::error!(verification.id = %self.key.id, "Assure told no address for the end-user: see ASSURE_PAGE_MEMBERS");
                self.discarded(assure.delete_process(dossier_id, &created.process_id).await);
                return Err(Failure::NoPage);
            }
            page
        } else if self.needs_sdk() {
            Some(EndUserAction::UseSdk(Sdk::of(&created)))
        } else {
            None
        };
        let details = ProcessDetails {
            process_id: Some(created.process_id),
            document_pages: pages.and_then(|pages| pages.try_into().ok()).unwrap_or(0),
            next_action_id: None,
        };
        Ok((details, action))
    }

    fn needs_sdk(&self) -> bool {
        let is_enrolled = self.creation.capability.start == provider::Start::WithEnrolment;
        self.creation.capture_by == CaptureBy::Sdk || is_enrolled
    }

    /// Where Assure calls back, and with what `Authorization`.
    fn callback(&self, verification: &Verification) -> Option<(String, String)> {
        if !self.app.settings.completion.by_callback {
            return None;
        }
        let capability = self.capability(Purpose::Callback, verification, None);
        let (token, authorization) = self.app.settings.keys.tokens.mint_callback(&capability);
        let address = self.public_address("callbacks", &token);
        Some((address, authorization.expose_secret().to_owned()))
    }

    /// Where the end-user comes back, for the flows that send one away.
    fn return_address(&self, verification: &Verification) -> Option<String> {
        let return_url = self.creation.return_url.clone()?;
        let capability = self.capability(Purpose::Return, verification, Some(return_url));
        let token = self.app.settings.keys.tokens.mint(&capability);
        Some(self.public_address("return", &token))
    }

    fn capability(
        &self,
        purpose: Purpose,
        verification: &Verification,
        detail: Option<String>,
    ) -> Capability {
        Capability {
            purpose,
            tenant: self.key.tenant.to_string(),
            verification_id: self.key.id.to_string(),
            expires_at: verification.request.expires_at + CAPABILITY_AFTER_DEADLINE,
            detail,
        }
    }

    fn public_address(&self, route: &str, token: &str) -> String {
        let base = self.app.settings.public_url.as_str().trim_end_matches('/');
        format!("{base}/{route}/{token}")
    }
}
