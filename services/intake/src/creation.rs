//! The body of a creation: read, checked, and turned into what the rules and Assure take.

use std::time::Duration;

use proofline_assure::wire;
use proofline_events::{
    Word,
    v1::{CaptureBy, Depiction, Flow},
};
use proofline_problem::Fault;
use proofline_verification::provider::{self, Combination};
use serde_json::{Map, Value};

use crate::members::Members;

const MAX_REFERENCE_CHARACTERS: usize = 128;
const MAX_TAGS: usize = 20;
const MAX_TAG_CHARACTERS: usize = 64;
const MAX_EXPIRES_IN_SECONDS: u64 = 30 * 24 * 60 * 60;

/// Members of Create process that Proofline sets itself.
const OWN_MEMBERS: [&str; 12] = [
    "provider",
    "processType",
    "documentType",
    "documentCountry",
    "documentId",
    "processParameters",
    "eventTags",
    "notificationUrl",
    "authorizationHeader",
    "redirectUrl",
    "providers",
    "captureParameters",
];

/// A creation that can be. Not `Debug`, as it holds personal data.
#[derive(Clone, PartialEq)]
pub(crate) struct Creation {
    pub(crate) flow: Flow,
    pub(crate) provider: String,
    pub(crate) process_type: String,
    pub(crate) capture_by: CaptureBy,
    pub(crate) document: Document,
    pub(crate) submit_when: Vec<Depiction>,
    pub(crate) reference: String,
    pub(crate) tags: Vec<String>,
    pub(crate) expires_in: Option<Duration>,
    pub(crate) user_data: Option<Value>,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) options: Map<String, Value>,
}

/// The document that will be shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Document {
    pub(crate) kind: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) id: Option<i64>,
}

impl Creation {
    /// Reads a body.
    ///
    /// # Errors
    /// Every fault in it.
    pub(crate) fn read(body: &Value) -> Result<Self, Vec<Fault>> {
        let mut m = Members::of_body(body)?;
        let flow = m.required("flow", "document, capture or eid", word::<Flow>);
        let provider = m.required("provider", "Assure's name of a provider", |v| short_text(v, 64));
        let process_type =
            m.optional("process_type", "Assure's name of a process type", |v| short_text(v, 64));
        let capture_by = m.optional("capture_by", "upload, sdk or page", word::<CaptureBy>);
        let submit_when = m.list("submit_when", "front, back or selfie", 3, word::<Depiction>);
        let document = m.inner("document", |d| Document {
            kind: d.optional("type", "Assure's name of a type of document", |v| short_text(v, 64)),
            country: d.optional(
                "country",
                "a country code of two or three letters, or UNIV",
                country,
            ),
            id: d.optional("id", "an integer", Value::as_i64),
        });
        let reference =
            m.optional("reference", "a text of at most 128 printable characters", |v| {
                short_text(v, MAX_REFERENCE_CHARACTERS)
            });
        let tags = m.list("tags", "a text of 1 to 64 printable characters", MAX_TAGS, |v| {
            short_text(v, MAX_TAG_CHARACTERS).filter(|tag| !tag.is_empty())
        });
        let expires_in = m.optional("expires_in_seconds", "an integer from 1 to 2592000", |v| {
            v.as_u64().filter(|seconds| (1..=MAX_EXPIRES_IN_SECONDS).contains(seconds))
        });
        m.optional(
            "same_dossier_as",
            "null: sharing a dossier is not available yet",
            |_| None::<()>,
        );
        m.optional("return_url", "null: this flow sends nobody back", |_| None::<()>);
        let user_data = m.optional("user_data", "an object", |v| v.is_object().then(|| v.clone()));
        let parameters = m.optional("parameters", "an object", Value::as_object);
        let options = m.optional("options", "an object", Value::as_object);
        let set_by_us = options
            .into_iter()
            .flat_map(Map::keys)
            .filter(|name| OWN_MEMBERS.contains(&name.as_str()));
        let mut own: Vec<Fault> = set_by_us
            .map(|name| Fault {
                pointer: format!("/options/{name}"),
                detail: "is set by Proofline itself".to_owned(),
            })
            .collect();
        let mut faults = m.finish();
        faults.append(&mut own);

        let (Some(flow), Some(provider)) = (flow, provider) else { return Err(faults) };
        let document = document.unwrap_or_default();
        let resolved = provider::resolve(&Combination {
            flow,
            provider: &provider,
            process_type: process_type.as_deref(),
            capture_by,
            submit_when: &submit_when,
            has_document_type: document.kind.is_some(),
        });
        let capability = match resolved {
            Ok(capability) if faults.is_empty() => capability,
            Ok(_) => return Err(faults),
            Err(impossible) => {
                let told =
                    impossible.into_iter().map(|f| Fault { pointer: f.pointer, detail: f.detail });
                faults.extend(told);
                return Err(faults);
            }
        };
        Ok(Self {
            flow,
            provider,
            process_type: capability.process_type.to_owned(),
            capture_by: capture_by.unwrap_or(CaptureBy::Upload),
            document,
            submit_when,
            reference: reference.unwrap_or_default(),
            tags,
            expires_in: expires_in.map(Duration::from_secs),
            user_data,
            parameters: parameters.cloned().unwrap_or_default(),
            options: options.cloned().unwrap_or_default(),
        })
    }

    /// The body of Create process, but for addresses and authorisation.
    pub(crate) fn process(&self, own_tag: String) -> wire::CreateProcess {
        // What Signicat's events and our own tag mean must not be claimed by a caller's tag.
        let has_a_meaning = |tag: &&String| *tag == "mock" || tag.starts_with("proofline:");
        let others = self.tags.iter().filter(|tag| !has_a_meaning(tag)).cloned();
        wire::CreateProcess {
            provider: self.provider.clone(),
            process_type: Some(self.process_type.clone()).filter(|name| !name.is_empty()),
            document_type: self.document.kind.clone(),
            document_country: self.document.country.clone(),
            document_id: self.document.id,
            process_parameters: Some(self.parameters.clone()).filter(|p| !p.is_empty()),
            event_tags: std::iter::once(own_tag).chain(others).collect(),
            options: self.options.clone(),
            ..Default::default()
        }
    }
}

fn word<T: Word>(value: &Value) -> Option<T> {
    T::from_word(value.as_str()?)
}

fn short_text(value: &Value, max_characters: usize) -> Option<String> {
    let text = value.as_str()?;
    let is_fit = text.chars().count() <= max_characters && text.chars().all(is_printable);
    is_fit.then(|| text.to_owned())
}

/// Neither a control character nor one that only steers how others are shown.
fn is_printable(c: char) -> bool {
    let steers = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !steers
}

fn country(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_code = matches!(text.len(), 2 | 3) && text.bytes().all(|b| b.is_ascii_alphabetic());
    (is_code || text == "UNIV").then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn example() -> Value {
        json!({
            "flow": "document", "provider": "onfido", "process_type": "documentSelfie",
            "capture_by": "upload", "document": { "type": "identityCard", "country": "NOR", "id": null },
            "submit_when": ["front", "selfie"], "reference": "order-778", "tags": ["web"],
            "return_url": null, "expires_in_seconds": 86400, "same_dossier_as": null,
            "user_data": null, "parameters": {}, "options": {}
        })
    }

    fn pointers(body: &Value) -> Vec<String> {
        Creation::read(body).err().unwrap().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn the_example_of_the_contract_can_be() {
        let creation = Creation::read(&example()).ok().unwrap();
        assert_eq!(creation.expires_in, Some(Duration::from_secs(86400)));
        let body = serde_json::to_value(creation.process("proofline:acme:vrf_x".into())).unwrap();
        assert_eq!(
            body,
            json!({
                "provider": "onfido", "processType": "documentSelfie", "documentType": "identityCard",
                "documentCountry": "NOR", "eventTags": ["proofline:acme:vrf_x", "web"]
            })
        );
    }

    #[test]
    fn a_callers_tag_does_not_claim_what_tags_of_events_mean() {
        let mut body = example();
        body["tags"] = json!(["mock", "proofline:other:vrf_x", "web"]);
        let process = Creation::read(&body).ok().unwrap().process("proofline:acme:vrf_x".into());
        assert_eq!(process.event_tags, ["proofline:acme:vrf_x", "web"]);
    }

    #[test]
    fn every_fault_of_a_body_is_told_at_once() {
        let mut body = example();
        body["flow"] = json!("x");
        body["tags"] = json!(["ok", "", 3]);
        body["reference"] = json!("a\u{202e}b");
        body["expires_in_seconds"] = json!(0);
        body["options"] = json!({ "eventTags": [], "redact": [] });
        body["surprise"] = json!(1);
        assert_eq!(
            pointers(&body),
            [
                "/flow",
                "/reference",
                "/tags/1",
                "/tags/2",
                "/expires_in_seconds",
                "/surprise",
                "/options/eventTags"
            ]
        );
    }

    #[test]
    fn what_the_provider_cannot_do_is_told_with_the_rest() {
        let mut body = example();
        body["process_type"] = json!("document");
        body["reference"] = json!(7);
        assert_eq!(pointers(&body), ["/reference", "/submit_when/1"]);
    }

    #[test]
    fn a_body_that_is_no_object_has_one_fault_at_its_root() {
        for body in [json!([]), json!("x"), json!(null)] {
            assert_eq!(pointers(&body), [""]);
        }
    }
}
