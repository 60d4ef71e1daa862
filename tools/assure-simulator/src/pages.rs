//! The pages an end-user is sent to: an eID's log-in, the capture flow, `WebID`, the `ReadID` Ready
//! app. A person picks what happens; nothing is checked.
//!
//! A page is a form with one field, `choice`. Pages are no calls of the API: they need no token, are
//! not listed among the calls and meet no faults.

mod buttons;
mod choice;
mod html;
mod registry;
mod visit;
mod way_back;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;

use crate::simulator::Simulator;

pub(crate) use self::registry::{Kind, Page, Pages};
pub(crate) use self::way_back::is_address;

pub(crate) fn router() -> Router<Arc<Simulator>> {
    let mut router = Router::new();
    for kind in Kind::ALL {
        let show = move |State(simulator): State<Arc<Simulator>>, Path(id): Path<String>| async move {
            visit::show(&simulator, kind, &id)
        };
        let choose = move |State(simulator): State<Arc<Simulator>>,
                           Path(id): Path<String>,
                           uri: Uri,
                           body: Body| async move {
            visit::choose(&simulator, kind, &id, &uri, body).await
        };
        router = router.route(&format!("/{}/{{id}}", kind.segment()), get(show).post(choose));
    }
    router
}
