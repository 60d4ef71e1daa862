//! API keys.

use axum::http::{HeaderMap, header};
use proofline_problem::{Code, Problem};
use proofline_tenants::{Tenant, Tenants};

/// The tenant whose API key came as `Authorization: Bearer`.
///
/// # Errors
/// The problem `unauthorized`, whatever was wrong with the key.
pub fn tenant_of<'a>(tenants: &'a Tenants, headers: &HeaderMap) -> Result<&'a Tenant, Problem> {
    let presented = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = presented.and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    key.and_then(|key| tenants.authenticate(key)).ok_or_else(|| {
        Problem::new(Code::Unauthorized, "Send a valid API key as Authorization: Bearer.")
    })
}
