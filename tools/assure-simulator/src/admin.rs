//! The admin API under `/simulator`: see what happened, make things happen. No authentication.

mod control;
mod state;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};

use crate::simulator::Simulator;

pub(crate) fn router() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/state", get(state::everything))
        .route("/calls", get(state::calls).delete(state::forget_calls))
        .route("/scripts", post(control::add_rule).delete(control::clear_rules))
        .route(
            "/faults",
            post(control::add_faults).get(control::faults).delete(control::clear_faults),
        )
        .route("/tokens", delete(control::revoke_tokens))
        .route("/processes/{processId}", delete(control::vanish))
        .route("/processes/{processId}/finish", post(control::finish))
        .route("/processes/{processId}/callback", post(control::send_callback))
        .route("/processes/{processId}/event", post(webhooks::send_event))
        .route("/webhooks", post(webhooks::add).get(webhooks::list).delete(webhooks::clear))
        .route("/webhooks/{id}", put(webhooks::change).delete(webhooks::remove))
        .route("/webhooks/{id}/mock", post(webhooks::send_mock))
}
