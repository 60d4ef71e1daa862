//! The body of a creation: read, checked, and turned into what the rules and Assure take.

mod addresses;
pub(crate) mod bodies;
#[cfg(test)]
mod tests;

use std::time::Duration;

use proofline_events::{
    VerificationId, Word,
    v1::{CaptureBy, Depiction, Flow},
};
use proofline_problem::Fault;
use proofline_settings::Url;
use proofline_tenants::Tenant;
use proofline_verification::provider::{self, Capability, Combination, DocumentMember};
use serde_json::{Map, Value};

use crate::members::Members;

const MAX_REFERENCE_CHARACTERS: usize = 128;
const MAX_TAGS: usize = 20;
const MAX_TAG_CHARACTERS: usize = 64;
const MAX_RETURN_URL_CHARACTERS: usize = 1024;
const MAX_EXPIRES_IN_SECONDS: u64 = 30 * 24 * 60 * 60;

/// Members of Create process and Start capture flow that Proofline sets itself.
const OWN_MEMBERS: [&str; 9] = [
    "provider",
    "processType",
    "processParameters",
    "captureParameters",
    "providers",
    "eventTags",
    "notificationUrl",
    "authorizationHeader",
    "redirectUrl",
];
/// These too where `document` tells them.
const OWN_MEMBERS_OF_A_DOCUMENT: [&str; 3] = ["documentType", "documentCountry", "documentId"];

/// A creation that can be. Not `Debug`, as it holds personal data.
#[derive(Clone)]
pub(crate) struct Creation {
    pub(crate) flow: Flow,
    pub(crate) provider: String,
    /// What the provider can do.
    pub(crate) capability: &'static Capability,
    pub(crate) capture_by: CaptureBy,
    document: Document,
    pub(crate) submit_when: Vec<Depiction>,
    pub(crate) reference: String,
    pub(crate) tags: Vec<String>,
    /// As it was given: percent-encoded it may be ten times as long.
    pub(crate) return_url: Option<String>,
    pub(crate) expires_in: Option<Duration>,
    pub(crate) same_dossier_as: Option<VerificationId>,
    pub(crate) user_data: Option<Value>,
    parameters: Map<String, Value>,
    options: Map<String, Value>,
}

/// The document that will be shown.
#[derive(Clone, Default)]
struct Document {
    kind: Option<String>,
    country: Option<String>,
    id: Option<i64>,
}

impl Creation {
    /// Reads a body.
    ///
    /// # Errors
    /// Every fault in it.
    pub(crate) fn read(body: &Value, tenant: &Tenant) -> Result<Self, Vec<Fault>> {
        let mut m = Members::of_body(body)?;
        let flow = m.required("flow", "document, capture or eid", word::<Flow>);
        let provider = m.required("provider", "Assure's name of a provider", |v| short_text(v, 64));
        let process_type =
            m.optional("process_type", "Assure's name of a process type", |v| short_text(v, 64));
        let capture_by = m.optional("capture_by", "upload, sdk or page", word::<CaptureBy>);
        let submit_when = m.list("submit_when", "front, back or selfie", 3, word::<Depiction>);
        let document = m.inner("document", Document::read).unwrap_or_default();
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
        let same_dossier_as =
            m.optional("same_dossier_as", "the id of a verification", verification_id);
        let return_url = m.optional(
            "return_url",
            "an https address (http for loopback) of at most 1024 characters, without user info, \
             whose origin is listed for you",
            |v| return_url(v, tenant),
        );
        let user_data = m.optional("user_data", "an object", |v| v.is_object().then(|| v.clone()));
        let parameters = m.optional("parameters", "an object", Value::as_object);
        let options = m.optional("options", "an object", Value::as_object);
        let mut faults = m.finish();
        let options = options.cloned().unwrap_or_default();
        let parameters = parameters.cloned().unwrap_or_default();
        faults.extend(of_own_members(&options, flow));

        let (Some(flow), Some(provider)) = (flow, provider) else { return Err(faults) };
        let told = told_of_document(&body["document"]);
        let asked = Combination {
            flow,
            provider: &provider,
            process_type: process_type.as_deref(),
            capture_by,
            submit_when: is_given(body, "submit_when").then_some(&submit_when),
            document: is_given(body, "document").then_some(&told),
            has_return_url: is_given(body, "return_url"),
        };
        faults.extend(addresses::faults(&asked, &options, &parameters));
        let capability = match provider::resolve(&asked) {
            Ok(capability) => capability,
            Err(impossible) => {
                let told =
                    impossible.into_iter().map(|f| Fault { pointer: f.pointer, detail: f.detail });
                faults.extend(told);
                return Err(faults);
            }
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let is_document = flow == Flow::Document;
        Ok(Self {
            flow,
            capability,
            capture_by: match capture_by {
                None if is_document => CaptureBy::Upload,
                given => given.unwrap_or(CaptureBy::Unspecified),
            },
            document,
            submit_when,
            reference: reference.unwrap_or_default(),
            tags,
            return_url,
            expires_in: expires_in.map(Duration::from_secs),
            same_dossier_as,
            user_data,
            parameters,
            options,
            provider,
        })
    }
}

impl Document {
    fn read(members: &mut Members<'_>) -> Self {
        Self {
            kind: members
                .optional("type", "Assure's name of a type of document", |v| short_text(v, 64)),
            country: members.optional(
                "country",
                "a country code of two or three letters, or UNIV",
                country,
            ),
            id: members.optional("id", "an integer", Value::as_i64),
        }
    }
}

fn is_given(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(|value| !value.is_null())
}

/// What a document's members tell. Of what can't be read it has been said what is wrong, so it is
/// not said to be missing, too.
fn told_of_document(document: &Value) -> Vec<DocumentMember> {
    let members = [
        (DocumentMember::Type, "type"),
        (DocumentMember::Country, "country"),
        (DocumentMember::Id, "id"),
    ];
    let told = members.into_iter().filter(|(_, name)| {
        is_given(document, name) || !(document.is_null() || document.is_object())
    });
    told.map(|(member, _)| member).collect()
}

fn of_own_members(options: &Map<String, Value>, flow: Option<Flow>) -> Vec<Fault> {
    let is_document = flow == Some(Flow::Document);
    let is_own = |name: &&String| {
        let name = name.as_str();
        OWN_MEMBERS.contains(&name) || (is_document && OWN_MEMBERS_OF_A_DOCUMENT.contains(&name))
    };
    let faults = options.keys().filter(is_own).map(|name| Fault {
        pointer: format!("/options/{name}"),
        detail: "is set by Proofline itself".to_owned(),
    });
    faults.collect()
}

fn word<T: Word>(value: &Value) -> Option<T> {
    T::from_word(value.as_str()?)
}

fn verification_id(value: &Value) -> Option<VerificationId> {
    VerificationId::parse(value.as_str()?).ok()
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

/// Listed origins are `https`, or `http` on loopback.
fn return_url(value: &Value, tenant: &Tenant) -> Option<String> {
    let text = short_text(value, MAX_RETURN_URL_CHARACTERS)?;
    let url = Url::parse(&text).ok()?;
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    (is_anonymous && tenant.lists_origin_of(&url)).then_some(text)
}
