//! Where the end-user goes after the choice.

use axum::http::Uri;
use serde_json::Value;
use url::Url;

use crate::pages::Kind;
use crate::status::Status;
use crate::store::Process;

/// The address to return to, with what is appended to it; the reference tells of no parameters for
/// `WebID`'s four addresses, and an app's comes with its link.
pub(super) fn of(kind: Kind, process: &Process, told: &Status, uri: &Uri) -> Option<String> {
    match kind {
        Kind::Connect | Kind::Capture => {
            let address = process.request.options.get("redirectUrl").and_then(Value::as_str)?;
            with_parameters(address, process, told)
        }
        Kind::Webid => {
            let member = match told {
                Status::Rejected | Status::Failed => "redirectDeclineUrl",
                Status::Inconclusive => "redirectMismatchUrl",
                Status::Canceled => "redirectCancelUrl",
                Status::Accepted | Status::Pending | Status::Processing | Status::Other(_) => {
                    "redirectUrl"
                }
            };
            let actions = process.parameter("webid")?.get("userActionParameters")?;
            let address = actions.get(member).and_then(Value::as_str)?;
            normal(address)
        }
        Kind::Readid => {
            let query = uri.query().unwrap_or_default();
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == "callback").and_then(|(_, address)| normal(&address))
        }
    }
}

/// Whether an end-user can be sent there: a web address or that of an app.
pub(crate) fn is_address(text: &str) -> bool {
    parse(text).is_some()
}

/// An address that is not a script of the page's own.
fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let runs_here = matches!(url.scheme(), "javascript" | "data" | "vbscript");
    (!runs_here).then_some(url)
}

/// Fit for a header.
fn normal(address: &str) -> Option<String> {
    parse(address).map(String::from)
}

fn with_parameters(address: &str, process: &Process, told: &Status) -> Option<String> {
    let mut url = parse(address)?;
    url.query_pairs_mut()
        .append_pair("dossierId", &process.dossier_id)
        .append_pair("processId", &process.id)
        .append_pair("status", told.as_str());
    Some(url.into())
}
