//! Showing a page, and taking the choice made on it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::body;
use crate::capture;
use crate::lifecycle;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::{Process, Store};

use super::choice::Choice;
use super::{Kind, Page, buttons, html, way_back};

/// A form with one short field.
const FORM_LIMIT: usize = 16 * 1024;

/// `GET` of a page.
pub(super) fn show(simulator: &Simulator, kind: Kind, id: &str) -> Response {
    let now = simulator.clock.now();
    let mut store = simulator.store();
    if kind == Kind::Capture {
        capture::open(&mut store, id, now);
    }
    let (_, process) = match present(&store, kind, id) {
        Ok(found) => found,
        Err(nothing) => return nothing.into_response(),
    };
    let facts = [
        ("Provider", process.provider.as_str()),
        ("Process type", process.process_type.unwrap_or("none")),
        ("Process", process.id.as_str()),
        ("Dossier", process.dossier_id.as_str()),
    ];
    html::form(&buttons::title(kind, process), &facts, &buttons::of(kind, process))
}

/// `POST` of its form.
pub(super) async fn choose(
    simulator: &Arc<Simulator>,
    kind: Kind,
    id: &str,
    uri: &Uri,
    body: Body,
) -> Response {
    let choice = match body::read(body, FORM_LIMIT).await {
        Ok(form) => Choice::read(&form),
        Err(_) => None,
    };
    let Some(choice) = choice else {
        let text = "The form must say choice=, with a word that its buttons know.";
        return html::notice(StatusCode::BAD_REQUEST, "No such choice", text, None);
    };
    let outcome = match choice {
        Choice::Again if kind == Kind::Capture => return start_again(simulator, id),
        Choice::Again => {
            let text = "Only a capture can be started again.";
            return html::notice(StatusCode::BAD_REQUEST, "No such choice", text, None);
        }
        Choice::AsScripted => None,
        Choice::Outcome(status) => Some(status),
    };

    let (process_id, step) = {
        let mut store = simulator.store();
        if kind == Kind::Capture {
            capture::open(&mut store, id, simulator.clock.now());
        }
        let (process_id, step) = match present(&store, kind, id) {
            Ok((_, process)) => (process.id.clone(), Step::of(kind, process, outcome, uri)),
            Err(nothing) => return nothing.into_response(),
        };
        if let Some(page) = store.pages.get_mut(id) {
            page.used = true;
            page.way_back.clone_from(&step.way_back);
        }
        (process_id, step)
    };
    // Refused when somebody ended or deleted it this very moment; the end-user returns anyway.
    let _ = lifecycle::chosen(simulator, &process_id, step.outcome, step.at_once);
    match step.way_back {
        Some(address) => see_other(&address),
        None => {
            let text = "You can go back to the application now.";
            html::notice(StatusCode::OK, "Done", text, None)
        }
    }
}

/// What follows from a choice.
struct Step {
    outcome: Status,
    /// Or after the processing time.
    at_once: bool,
    way_back: Option<String>,
}

impl Step {
    fn of(kind: Kind, process: &Process, chosen: Option<Status>, uri: &Uri) -> Self {
        let is_canceled = chosen == Some(Status::Canceled);
        let outcome = chosen.unwrap_or_else(|| process.outcome().clone());
        let (at_once, told) = match kind {
            // The result is final when the end-user is back.
            Kind::Connect | Kind::Webid => (!process.script.page.return_first, outcome.clone()),
            Kind::Capture | Kind::Readid if is_canceled => (true, outcome.clone()),
            Kind::Capture | Kind::Readid => (false, Status::Processing),
        };
        let way_back = way_back::of(kind, process, &told, uri);
        Self { outcome, at_once, way_back }
    }
}

/// Cancels the process of a capture and gives the end-user another.
fn start_again(simulator: &Arc<Simulator>, id: &str) -> Response {
    let process_id = match present(&simulator.store(), Kind::Capture, id) {
        Ok((_, process)) => process.id.clone(),
        Err(nothing) => return nothing.into_response(),
    };
    let canceled =
        lifecycle::end(simulator, &process_id, Status::Canceled, None, |s| !s.is_final());
    if canceled.is_ok() {
        capture::renew(&mut simulator.store(), id, simulator.clock.now());
    }
    see_other(&simulator.address(Kind::Capture, id))
}

/// The page and its process, while there is something to choose.
fn present<'a>(
    store: &'a Store,
    kind: Kind,
    id: &str,
) -> Result<(&'a Page, &'a Process), NothingToChoose> {
    let page = store.pages.find(kind, id).ok_or(NothingToChoose::Unknown)?;
    let process_id = page.process_id.as_deref().ok_or(NothingToChoose::Unknown)?;
    let process = store.process(&page.dossier_id, process_id);
    let process = process.map_err(|_| NothingToChoose::Unknown)?;
    if page.used {
        return Err(NothingToChoose::Used { way_back: page.way_back.clone() });
    }
    if process.status.is_final() {
        let way_back = way_back::of(kind, process, &process.status, &Uri::default());
        return Err(NothingToChoose::Ended { status: process.status.clone(), way_back });
    }
    Ok((page, process))
}

/// Why a page is of no use.
enum NothingToChoose {
    Unknown,
    Used { way_back: Option<String> },
    Ended { status: Status, way_back: Option<String> },
}

impl IntoResponse for NothingToChoose {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown => {
                let text = "The address is wrong, or what it was for has been deleted.";
                html::notice(StatusCode::NOT_FOUND, "There is no such page", text, None)
            }
            Self::Used { way_back } => {
                let text = "The choice was made; a second one has no effect.";
                html::notice(StatusCode::GONE, "This page is used", text, way_back.as_deref())
            }
            Self::Ended { status, way_back } => {
                let text = format!("The process has ended: {status}.");
                let title = "There is nothing left to do";
                html::notice(StatusCode::GONE, title, &text, way_back.as_deref())
            }
        }
    }
}

fn see_other(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(_) => {
            let text = "The application gave an address that no browser can follow.";
            html::notice(StatusCode::OK, "Done", text, None)
        }
    }
}
