//! The token endpoint, OAuth 2 client credentials, and the tokens it gave out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proofline_assure::wire;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use crate::body;
use crate::settings::Settings;
use crate::simulator::Simulator;

/// Larger than any honest token request.
const FORM_LIMIT: usize = 16 * 1024;

/// The tokens in circulation.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Instant>>);

impl Tokens {
    fn issue(&self, lifetime: Duration) -> String {
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let now = Instant::now();
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, expiry| *expiry > now);
        tokens.insert(token.clone(), now + lifetime);
        token
    }

    pub(crate) fn is_valid(&self, token: &str) -> bool {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).is_some_and(|expiry| *expiry > Instant::now())
    }

    /// Makes every token in circulation unknown.
    pub(crate) fn revoke_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// `POST /auth/open/connect/token`.
pub(crate) async fn issue(State(simulator): State<Arc<Simulator>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(form) = body::read(body, FORM_LIMIT).await else {
        return OAuthError::new("invalid_request", "The form is too large.").into_response();
    };
    match check(&simulator.settings, &parts.headers, &form) {
        Err(error) => error.into_response(),
        Ok(()) => {
            let lifetime = simulator.settings.token_lifetime;
            let token = wire::Token {
                access_token: simulator.tokens.issue(lifetime),
                expires_in: lifetime.as_secs(),
                token_type: Some("Bearer".to_owned()),
                scope: Some(simulator.settings.scope.clone()),
            };
            ([(header::CACHE_CONTROL, "no-store")], Json(token)).into_response()
        }
    }
}

fn check(settings: &Settings, headers: &HeaderMap, form: &[u8]) -> Result<(), OAuthError> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !text(header::CONTENT_TYPE).starts_with("application/x-www-form-urlencoded") {
        return Err(OAuthError::new("invalid_request", "The body must be a form."));
    }
    let expected = format!("{}:{}", settings.client_id, settings.client_secret.expose_secret());
    let presented = text(header::AUTHORIZATION)
        .strip_prefix("Basic ")
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    if presented.as_deref() != Some(expected.as_bytes()) {
        return Err(OAuthError::new("invalid_client", "Unknown client or wrong secret."));
    }
    let member =
        |name| url::form_urlencoded::parse(form).find(|(n, _)| n == name).map(|(_, value)| value);
    if member("grant_type").as_deref() != Some("client_credentials") {
        return Err(OAuthError::new(
            "unsupported_grant_type",
            "grant_type must be client_credentials.",
        ));
    }
    if member("scope").as_deref() != Some(settings.scope.as_str()) {
        return Err(OAuthError::new("invalid_scope", "The client has no such scope."));
    }
    Ok(())
}

/// An error in the shape of RFC 6749, section 5.2.
struct OAuthError {
    error: &'static str,
    description: &'static str,
}

impl OAuthError {
    fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = Json(json!({"error": self.error, "error_description": self.description}));
        if self.error == "invalid_client" {
            let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"simulator\"")];
            return (StatusCode::UNAUTHORIZED, challenge, body).into_response();
        }
        (StatusCode::BAD_REQUEST, body).into_response()
    }
}
