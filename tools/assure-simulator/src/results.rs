//! The body of Get process: a sample of the provider and the outcome, made to fit the process.

mod depictions;
mod fit;
mod onfido;
mod variations;

use serde_json::{Map, Value, json};

use crate::clock::stamp;
use crate::providers::Provider;
use crate::samples;
use crate::status::Status;
use crate::store::Process;

/// The body, showing the process as it is visible now.
pub(crate) fn body(process: &Process) -> Map<String, Value> {
    let status = process.visible_status();
    let mut body = scripted(process, status).unwrap_or_else(|| usual(process, status));
    body.insert("processId".to_owned(), json!(process.id));
    if *status == Status::Failed
        && let Some(reason) = &process.fail_reason
    {
        body.insert("failReason".to_owned(), reason.clone());
    }
    variations::apply(&process.script, status, &mut body);
    body
}

/// Why a process fails that was scripted to.
pub(crate) fn fail_reason(process: &Process) -> Value {
    let failed = &Status::Failed;
    let sample = scripted(process, failed)
        .or_else(|| samples::body(&format!("{}-{failed}", family(&process.provider))).cloned());
    sample.and_then(|mut s| s.remove("failReason")).unwrap_or_else(
        || json!({"type": "upload_failed", "message": "The simulator was told to fail."}),
    )
}

/// The sample that the script names, whole, while the process has the sample's status.
fn scripted(process: &Process, status: &Status) -> Option<Map<String, Value>> {
    let sample = samples::body(process.script.result.sample?)?;
    (sample.get("status")? == status.as_str()).then(|| sample.clone())
}

/// What the provider usually answers, about this process.
fn usual(process: &Process, status: &Status) -> Map<String, Value> {
    let mut body = if is_verdict(status) { found(process, status) } else { Map::new() };
    // The older names of a provider and its process types are a quirk.
    body.entry("provider").or_insert_with(|| json!(process.provider.as_str()));
    if let Some(process_type) = process.process_type {
        body.entry("processType").or_insert_with(|| json!(process_type));
    }
    let mut put = |name: &str, value| body.insert(name.to_owned(), value);
    put("status", json!(status));
    if status.is_final() {
        put("depictions", json!(depictions::of(process, status)));
    }
    if process.provider == Provider::SignicatPaper {
        put("redactionRequested", json!(fit::redaction(process).is_some()));
    }
    // The older generation's echo.
    if let Some(url) = &process.request.notification_url {
        put("notificationUrl", json!(url));
    }
    put("createdAt", json!(stamp(process.created_at)));
    put("updatedAt", json!(stamp(process.updated_at)));
    body
}

/// What the provider found out, and no more of the sample it is taken from.
fn found(process: &Process, status: &Status) -> Map<String, Value> {
    let family = family(&process.provider);
    let name = format!("{family}-{status}");
    let quirk = samples::body(&format!("quirk-{name}")).filter(|_| process.script.result.quirks);
    let mut found = match (quirk, &process.provider) {
        (Some(quirk), _) => quirk.clone(),
        (None, Provider::Onfido) => onfido::template(status),
        (None, _) => samples::body(&name).cloned().unwrap_or_default(),
    };
    let has_older_name =
        found.get("provider").and_then(Value::as_str).is_some_and(|p| !p.starts_with(family));
    found.retain(|name, _| match name.as_str() {
        "finalResult" | "providerSpecific" | "statusReasons" | "userInfo" => true,
        "provider" | "processType" => has_older_name,
        _ => false,
    });
    fit::fit(process, &mut found);
    found
}

/// The name that samples give a provider: all methods of eID are one.
fn family(provider: &Provider) -> &str {
    match provider {
        Provider::Connect(_) => "connect",
        Provider::Onfido
        | Provider::SignicatVideoid
        | Provider::Readid
        | Provider::SignicatPaper
        | Provider::SignicatPictureid
        | Provider::Facetec
        | Provider::Webid => provider.as_str(),
    }
}

/// Whether the provider came to a verdict; without one there is nothing that it found.
pub(crate) fn is_verdict(status: &Status) -> bool {
    matches!(status, Status::Accepted | Status::Inconclusive | Status::Rejected)
}
