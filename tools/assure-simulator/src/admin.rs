//! The admin API under `/simulator`: see what happened, make things happen. No authentication.

mod control;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

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
}
