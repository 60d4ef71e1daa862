//! The routes, and what all of them do with what they hear.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use proofline_ambient::clock;
use proofline_events::{VerificationKey, Word};
use proofline_journal::{Signal, SignalSink, Stored};
use proofline_problem::{Code, Problem};
use proofline_seal::Keyring;
use proofline_service::{Rate, telemetry::unauthentic};

use crate::{callback, end_user_return, webhook, webhook_settings::Webhooks};

/// When to send again what could not be stored.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What the routes use.
pub(crate) struct App {
    pub(crate) signals: SignalSink,
    pub(crate) token_keys: Keyring,
    pub(crate) webhooks: Webhooks,
    /// How often strangers are told that they are.
    pub(crate) refusals: Rate,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/callbacks/{token}", post(callback::receive))
        .route("/events/{tenant}", post(webhook::receive))
        .route("/return/{token}", get(end_user_return::receive))
        .method_not_allowed_fallback(async || {
            Problem::of_status(
                StatusCode::METHOD_NOT_ALLOWED,
                "This address does not take that method.",
            )
        })
        .fallback(async || Problem::new(Code::NotFound, "There is nothing at this address."))
        .with_state(Arc::new(app))
}

impl App {
    /// What somebody without a valid proof is told. A flood of them is neither logged nor answered
    /// one by one; it never comes between us and whoever has a proof, who is not counted here.
    pub(crate) fn refuse(&self, route: &'static str, problem: Problem) -> Problem {
        unauthentic(route);
        match self.refusals.take() {
            Ok(()) => {
                tracing::warn!(route, "a request was not authentic");
                problem
            }
            Err(wait) => Problem::too_many_requests(wait),
        }
    }

    /// Makes what was heard durable: 200 then, for a repeat too.
    pub(crate) async fn record(
        &self,
        key: &VerificationKey,
        signal: Signal,
    ) -> Result<StatusCode, Problem> {
        tracing::Span::current().record("verification.id", key.id.as_str());
        let (source, claimed_status) = (signal.source.word(), signal.claimed_status.clone());
        match self.signals.append(key, signal, clock::now()).await {
            Ok(stored) => {
                let is_repeat = stored == Stored::Repeat;
                tracing::info!(verification.id = %key.id, tenant = %key.tenant, source, claimed_status, is_repeat, "signal received");
                Ok(StatusCode::OK)
            }
            Err(error) => {
                tracing::error!(verification.id = %key.id, source, %error, "a signal could not be stored");
                Err(not_stored())
            }
        }
    }
}

/// The answer when NATS is away.
pub(crate) fn not_stored() -> Problem {
    Problem::new(Code::StorageUnavailable, "This could not be stored. Send it again.")
        .retry_after(RETRY_AFTER)
}
