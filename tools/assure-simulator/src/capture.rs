//! Start capture flow: a hosted page makes the process, takes the pictures, starts verification.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::body::Object;
use crate::error::Refusal;
use crate::order::Order;
use crate::pages::{Kind, is_address};
use crate::processes;
use crate::providers::Provider;
use crate::simulator::Simulator;
use crate::store::Store;

/// `POST /dossiers/{dossierId}/capture`.
pub(crate) async fn start(
    State(simulator): State<Arc<Simulator>>,
    Path(dossier_id): Path<String>,
    Object(body): Object,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let now = simulator.clock.now();
    let mut store = simulator.store();
    store.dossier(&dossier_id)?;
    let order = order(body)?;
    // A misspelt script is told now: who opens the page can't mend it.
    let plan = store.script_for_tags(&dossier_id, &order.request.event_tags)?.page;
    let artifact = store.pages.add(Kind::Capture, dossier_id, None, Some(order)).id.clone();

    let mut answer = json!({"url": simulator.address(Kind::Capture, &artifact)});
    if plan.creates_at_start() {
        let process_id = renew(&mut store, &artifact, now);
        if plan.tells_process_id {
            answer["processId"] = json!(process_id);
        }
    }
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The end-user opens the page: the process is created, unless it was before.
pub(crate) fn open(store: &mut Store, artifact: &str, now: OffsetDateTime) {
    let page = store.pages.find(Kind::Capture, artifact);
    if page.is_some_and(|page| page.process_id.is_none()) {
        renew(store, artifact, now);
    }
}

/// Creates a process for the page, in place of one it may have had.
pub(crate) fn renew(store: &mut Store, artifact: &str, now: OffsetDateTime) -> Option<String> {
    let page = store.pages.find(Kind::Capture, artifact)?;
    let (dossier_id, order) = (page.dossier_id.clone(), page.order.clone()?);
    let process_id = processes::add(store, dossier_id, order, now).ok()?.id.clone();
    store.pages.get_mut(artifact)?.process_id = Some(process_id.clone());
    Some(process_id)
}

/// Reads the body leniently: the vendor's own samples deviate from the vendor's schema.
fn order(mut body: Map<String, Value>) -> Result<Order, Refusal> {
    let wrong = Refusal::bad_request;
    let redirect_url = body.get("redirectUrl").and_then(Value::as_str).unwrap_or_default();
    if !is_address(redirect_url) {
        return Err(wrong("The capture flow needs a redirectUrl."));
    }
    if body.get("captureParameters").is_some_and(|p| !p.is_object() && !p.is_null()) {
        return Err(wrong("captureParameters must be an object."));
    }
    let mut asked = match body.remove("providers") {
        Some(Value::Array(mut providers)) if providers.len() == 1 => match providers.pop() {
            Some(Value::Object(provider)) => provider,
            _ => return Err(wrong("providers[0] must be an object.")),
        },
        _ => return Err(wrong("providers must be a list of exactly one.")),
    };
    let name = match asked.get("provider").and_then(Value::as_str).unwrap_or_default() {
        "eid" => "signicatvideoid".to_owned(),
        "paper" => "signicatpaper".to_owned(),
        name => name.to_owned(),
    };
    let provider = Provider::parse(&name).ok_or_else(|| wrong("There is no such provider."))?;
    let sdk = body.get("sdk").filter(|sdk| !sdk.is_null());
    check(&provider, asked.get("processType"), sdk).map_err(wrong)?;

    let mut parameters = Map::new();
    for member in ["webid", "requestExtraDataFromDrivingLicense"] {
        parameters.extend(asked.remove(member).map(|value| (member.to_owned(), value)));
    }
    let mut request = asked;
    request.insert("provider".to_owned(), json!(name));
    request.insert("processParameters".to_owned(), Value::Object(parameters));
    for member in ["redirectUrl", "eventTags", "notificationUrl", "authorizationHeader"] {
        request.extend(body.remove(member).map(|value| (member.to_owned(), value)));
    }
    request.retain(|_, value| !value.is_null());
    Order::for_capture(Object(request).into()?).map_err(wrong)
}

fn check(
    provider: &Provider,
    process_type: Option<&Value>,
    sdk: Option<&Value>,
) -> Result<(), &'static str> {
    let sdk = match sdk.map(Value::as_str) {
        None => None,
        Some(Some(sdk @ ("native" | "capture"))) => Some(sdk),
        Some(_) => return Err("sdk must be native or capture."),
    };
    match provider {
        Provider::Facetec | Provider::Connect(_) => Err("The capture flow has no such provider."),
        Provider::Readid if process_type.and_then(Value::as_str) != Some("ready") => {
            Err("In the capture flow readid needs the processType ready.")
        }
        Provider::SignicatVideoid if sdk == Some("capture") => {
            Err("signicatvideoid has only its native SDK.")
        }
        Provider::Onfido
        | Provider::SignicatVideoid
        | Provider::Readid
        | Provider::SignicatPaper
        | Provider::SignicatPictureid
        | Provider::Webid => Ok(()),
    }
}
