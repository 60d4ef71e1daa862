//! Makes the findings of a sample fit the process: its type, the document it announced, what it
//! wanted redacted.

use serde_json::{Map, Value, json};

use crate::providers::Provider;
use crate::store::Process;

/// Changes the findings so that they are about this process.
pub(super) fn fit(process: &Process, found: &mut Map<String, Value>) {
    match (&process.provider, process.process_type) {
        (Provider::Onfido, process_type) => {
            announce(process, found, "documentVerification");
            if process_type == Some("document") {
                remove(found, "/finalResult", "similarityScore");
                remove(found, "/providerSpecific", "facialSimilarity");
            }
        }
        // Agents look at nothing else.
        (Provider::SignicatVideoid, Some("substantial" | "substantialFullyAuto")) => {
            remove(found, "/providerSpecific", "manualApproval");
        }
        (Provider::SignicatVideoid, _) => {
            if let Some(authority) = &process.authority {
                replace(found, "/providerSpecific/manualApproval/rAuthorityId", authority);
            }
        }
        (Provider::SignicatPaper, _) => {
            announce(process, found, "mrz");
            match redaction(process) {
                None => remove(found, "/providerSpecific", "redactionResult"),
                Some(redaction) => redaction.report(found),
            }
        }
        (Provider::SignicatPictureid, Some("document")) => {
            remove(found, "/finalResult", "similarityScore");
            remove(found, "/providerSpecific", "selfie");
            let checks = "/providerSpecific/document/securityChecks";
            remove(found, checks, "selfieAndDocumentMatch");
            if let Some(Value::Array(reasons)) = found.get_mut("statusReasons") {
                reasons.retain(|r| r["category"] != "SimilarityLevel");
            }
        }
        (Provider::Webid, Some("accountid")) => {
            replace(found, "/providerSpecific/identResponse/actionType", "auto_ident");
            replace(found, "/providerSpecific/identResponse/identMode", "automated_ident");
        }
        (
            Provider::SignicatPictureid
            | Provider::Readid
            | Provider::Facetec
            | Provider::Webid
            | Provider::Connect(_),
            _,
        ) => {}
    }
}

/// How far images were redacted.
pub(super) struct Redaction {
    is_partial: bool,
    is_full: bool,
}

/// How far the provider can redact what was asked for; `None` when nothing was.
///
/// It promises more than it does: in practice two members, on Dutch documents.
pub(super) fn redaction(process: &Process) -> Option<Redaction> {
    let wanted = process.request.options.get("redact")?.as_array().filter(|w| !w.is_empty())?;
    let is_dutch = matches!(process.request.document_country.as_deref(), Some("NL" | "NLD"));
    let can = |member: &Value| {
        is_dutch && matches!(member.as_str(), Some("personalIdentificationNumber" | "photo"))
    };
    Some(Redaction { is_partial: wanted.iter().any(can), is_full: wanted.iter().all(can) })
}

impl Redaction {
    /// Writes it down where the provider got as far as redacting.
    fn report(&self, found: &mut Map<String, Value>) {
        let result = found.get_mut("providerSpecific").and_then(|p| p.get_mut("redactionResult"));
        if let Some(result) = result {
            *result =
                json!({"isPartialRedaction": self.is_partial, "isFullRedaction": self.is_full});
        }
    }
}

/// Lets the provider have read the type of document that was announced.
fn announce(process: &Process, found: &mut Map<String, Value>, reading: &str) {
    let Some(announced) = process.request.document_type.as_deref() else { return };
    for tree in ["/finalResult", &format!("/providerSpecific/{reading}")] {
        let pointer = format!("{tree}/documentType");
        // What could not be read isn't what was announced.
        if at(found, &pointer).is_some_and(|read| *read != "unknown") {
            replace(found, &pointer, announced);
        }
    }
}

fn remove(found: &mut Map<String, Value>, pointer: &str, member: &str) {
    if let Some(Value::Object(members)) = at(found, pointer) {
        members.remove(member);
    }
}

fn replace(found: &mut Map<String, Value>, pointer: &str, text: &str) {
    if let Some(value) = at(found, pointer) {
        *value = json!(text);
    }
}

/// As `Value::pointer_mut`, which maps lack.
fn at<'a>(found: &'a mut Map<String, Value>, pointer: &str) -> Option<&'a mut Value> {
    let path = pointer.strip_prefix('/')?;
    let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    found.get_mut(first)?.pointer_mut(rest)
}
