//! What a process is made of, checked as the reference demands and no further.

use axum::http::HeaderValue;
use proofline_assure::wire;
use serde_json::Value;
use url::Url;

use crate::document_types;
use crate::pages::is_address;
use crate::providers::Provider;

const REDACTABLE: &[&str] = &[
    "firstName",
    "lastName",
    "fullName",
    "gender",
    "address",
    "personalIdentificationNumber",
    "documentNumber",
    "date",
    "dateOfBirth",
    "dateOfIssue",
    "dateOfExpiry",
    "photo",
    "signature",
    "accessNumber",
    "drivingPermits",
    "issuingAuthority",
    "mrz",
    "barcode",
];

/// What webid must be told, as JSON Pointers into `processParameters`.
const WEBID_MEMBERS: &[&str] = &[
    "/webid/user/firstName",
    "/webid/user/lastName",
    "/webid/user/dateOfBirth",
    "/webid/user/contact/email",
    "/webid/idDocument/nationality",
    "/webid/userActionParameters/redirectUrl",
    "/webid/userActionParameters/redirectDeclineUrl",
    "/webid/userActionParameters/redirectMismatchUrl",
    "/webid/userActionParameters/redirectCancelUrl",
    "/webid/userActionParameters/clientName",
    "/webid/userActionParameters/productType",
];

/// A request for a process that can be carried out.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) request: wire::CreateProcess,
    pub(crate) provider: Provider,
    /// The one in effect.
    pub(crate) process_type: Option<&'static str>,
}

impl Order {
    /// Create process.
    pub(crate) fn new(request: wire::CreateProcess) -> Result<Self, &'static str> {
        let order = Self::in_general(request)?;
        let request = &order.request;
        match &order.provider {
            Provider::SignicatPaper => {
                check_country(request)?;
                check_redaction(request)?;
            }
            Provider::SignicatPictureid => {
                let id = request.document_id.ok_or("signicatpictureid needs a documentId.")?;
                document_types::pages(id).ok_or("There is no such documentId.")?;
            }
            Provider::Webid => check_webid(request)?,
            Provider::Connect(_) => {
                let address = request.options.get("redirectUrl").and_then(Value::as_str);
                if !address.is_some_and(is_address) {
                    return Err("The eID flow needs a redirectUrl.");
                }
            }
            Provider::Onfido | Provider::SignicatVideoid | Provider::Readid | Provider::Facetec => {
            }
        }
        Ok(order)
    }

    /// Start capture flow, whose page asks the end-user for the document's kind and country.
    pub(crate) fn for_capture(request: wire::CreateProcess) -> Result<Self, &'static str> {
        let order = Self::in_general(request)?;
        if order.provider == Provider::SignicatPaper {
            check_redaction(&order.request)?;
        }
        if order.provider == Provider::Webid {
            check_webid(&order.request)?;
        }
        Ok(order)
    }

    fn in_general(request: wire::CreateProcess) -> Result<Self, &'static str> {
        let provider = Provider::parse(&request.provider).ok_or("There is no such provider.")?;
        let process_type = provider.process_type(request.process_type.as_deref())?;
        if let Some(word) = &request.document_type
            && !document_types::is_known(word)
        {
            return Err("There is no such documentType.");
        }
        if let Some(url) = &request.notification_url {
            let fits = Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https"));
            if !fits {
                return Err("notificationUrl must be a web address.");
            }
        }
        if let Some(value) = &request.authorization_header
            && HeaderValue::from_str(value).is_err()
        {
            return Err("authorizationHeader can't be the value of a header.");
        }
        Ok(Self { request, provider, process_type })
    }
}

fn check_webid(request: &wire::CreateProcess) -> Result<(), &'static str> {
    let parameters = Value::Object(request.process_parameters.clone().unwrap_or_default());
    for pointer in WEBID_MEMBERS {
        let member = parameters.pointer(pointer).ok_or("A member of webid is missing.")?;
        let is_return = pointer.contains("/redirect");
        if is_return && !member.as_str().is_some_and(is_address) {
            return Err("The four return addresses of webid must be addresses.");
        }
    }
    Ok(())
}

fn check_country(request: &wire::CreateProcess) -> Result<(), &'static str> {
    let country = request.document_country.as_deref();
    let country = country.ok_or("signicatpaper needs a documentCountry.")?;
    let is_code = matches!(country.len(), 2 | 3) && country.bytes().all(|b| b.is_ascii_uppercase());
    let is_any = country == "UNIV" && request.document_type.as_deref() == Some("passport");
    if !is_code && !is_any {
        return Err("documentCountry must be a country code, or UNIV for a passport.");
    }
    Ok(())
}

fn check_redaction(request: &wire::CreateProcess) -> Result<(), &'static str> {
    let redactable = |item: &Value| item.as_str().is_some_and(|word| REDACTABLE.contains(&word));
    match request.options.get("redact") {
        None => {}
        Some(Value::Array(items)) if items.iter().all(redactable) => {}
        Some(_) => return Err("redact must be a list of members that can be redacted."),
    }
    match request.options.get("redactionLevel").map(Value::as_str) {
        None | Some(Some("standard" | "medium" | "high" | "veryHigh")) => Ok(()),
        Some(_) => Err("There is no such redactionLevel."),
    }
}
