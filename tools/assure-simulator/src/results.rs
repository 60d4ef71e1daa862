//! The body of Get process: the common part here, each provider's part in a module of its own.

mod onfido;

use serde_json::{Map, Value, json};

use crate::clock::stamp;
use crate::providers::Provider;
use crate::status::Status;
use crate::store::Process;

/// What a provider found out.
#[derive(Default)]
struct Findings {
    final_result: Option<Value>,
    provider_specific: Option<Value>,
}

/// The body, showing the process as it is visible now.
pub(crate) fn body(process: &Process) -> Map<String, Value> {
    let status = process.visible_status();
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    put("processId", Some(json!(process.id)));
    put("provider", Some(json!(process.provider.as_str())));
    put("processType", process.process_type.map(Value::from));
    put("status", Some(json!(status)));
    if status.is_final() {
        let depictions: Vec<_> = process.images.keys().map(|d| d.as_str()).collect();
        put("depictions", Some(json!(depictions)));
        let findings = findings(process, status);
        put("finalResult", findings.final_result);
        put("providerSpecific", findings.provider_specific);
    }
    if *status == Status::Failed {
        put("failReason", process.fail_reason.clone());
    }
    if process.provider == Provider::SignicatPaper {
        let requested = process.request.options.contains_key("redact");
        put("redactionRequested", Some(json!(requested)));
    }
    // The older generation's echo.
    put("notificationUrl", process.request.notification_url.clone().map(Value::from));
    put("createdAt", Some(json!(stamp(process.created_at))));
    put("updatedAt", Some(json!(stamp(process.updated_at))));
    body
}

fn findings(process: &Process, status: &Status) -> Findings {
    let mut findings = match process.provider {
        Provider::Onfido => onfido::findings(process, status),
        // Their processes run and end; what they find is not imitated yet.
        Provider::SignicatVideoid
        | Provider::Readid
        | Provider::SignicatPaper
        | Provider::SignicatPictureid
        | Provider::Facetec
        | Provider::Webid
        | Provider::Connect(_) => Findings::default(),
    };
    if process.script.accepted_without_final_result {
        findings.final_result = None;
    }
    findings
}
