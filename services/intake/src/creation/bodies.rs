//! A creation as Assure takes it.

use proofline_assure::wire;
use proofline_verification::provider::CaptureSdk;
use serde_json::{Map, Value};

use super::Creation;

/// What Proofline adds of its own.
pub(crate) struct Own<'a> {
    /// The tag by which a webhook is matched.
    pub(crate) tag: String,
    /// Where the end-user comes back, for the flows that send one away.
    pub(crate) return_address: Option<&'a str>,
    /// Where the callback goes, and its `Authorization`, if there is to be one.
    pub(crate) callback: Option<(String, String)>,
}

/// Members of a capture that are not the provider's.
const OF_THE_CAPTURE: [&str; 2] = ["sdk", "requestDomain"];

impl Creation {
    /// The body of Create process.
    pub(crate) fn process(&self, own: Own<'_>) -> wire::CreateProcess {
        let (notification_url, authorization_header) = own.callback.unzip();
        let mut options = self.options.clone();
        let mut parameters = self.parameters.clone();
        if let Some(address) = own.return_address {
            if self.capability.eid {
                options.insert("redirectUrl".to_owned(), address.into());
            } else {
                self.send_back_to(address, &mut parameters);
            }
        }
        wire::CreateProcess {
            provider: self.provider.clone(),
            process_type: self.process_type(),
            document_type: self.document.kind.clone(),
            document_country: self.document.country.clone(),
            document_id: self.document.id,
            process_parameters: Some(parameters).filter(|p| !p.is_empty()),
            event_tags: self.event_tags(own.tag),
            notification_url,
            authorization_header,
            options,
        }
    }

    /// The body of Start capture flow.
    pub(crate) fn capture(&self, own: Own<'_>) -> wire::StartCapture {
        let (notification_url, authorization_header) = own.callback.unzip();
        let redirect_url = own.return_address.unwrap_or_default();
        let (mut options, mut provider): (Map<_, _>, Map<_, _>) = self
            .options
            .clone()
            .into_iter()
            .partition(|(name, _)| OF_THE_CAPTURE.contains(&name.as_str()));
        provider.insert("provider".to_owned(), self.provider.clone().into());
        if let Some(process_type) = self.process_type() {
            provider.insert("processType".to_owned(), process_type.into());
        }
        self.send_back_to(redirect_url, &mut provider);
        if let Some(sdk) = self.capability.capture {
            let usual = match sdk {
                CaptureSdk::Native => "native",
                CaptureSdk::Capture => "capture",
            };
            options.entry("sdk").or_insert_with(|| Value::from(usual));
        }
        wire::StartCapture {
            providers: vec![provider],
            redirect_url: redirect_url.to_owned(),
            capture_parameters: Some(self.parameters.clone()).filter(|p| !p.is_empty()),
            event_tags: self.event_tags(own.tag),
            notification_url,
            authorization_header,
            options,
        }
    }

    /// Assure's name of the process type, where the provider has one.
    fn process_type(&self) -> Option<String> {
        Some(self.capability.process_type.to_owned()).filter(|name| !name.is_empty())
    }

    /// What Signicat's events and our own tag mean must not be claimed by a caller's tag.
    fn event_tags(&self, own: String) -> Vec<String> {
        let has_a_meaning = |tag: &&String| *tag == "mock" || tag.starts_with("proofline:");
        let others = self.tags.iter().filter(|tag| !has_a_meaning(tag)).cloned();
        std::iter::once(own).chain(others).collect()
    }
}
