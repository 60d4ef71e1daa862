//! Who may upload: a caller with an API key, or whoever has a signed upload URL.

use axum::http::{HeaderMap, Uri};
use proofline_ambient::clock;
use proofline_callers::not_found;
use proofline_events::{VerificationId, VerificationKey, Word, v1::Depiction};
use proofline_problem::{Code, Problem};
use proofline_seal::Purpose;
use proofline_service::telemetry::unauthentic;

use crate::app::App;

/// The image that an address means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) key: VerificationKey,
    pub(crate) depiction: Depiction,
}

/// Whether a request may upload this image, and of which tenant's verification.
///
/// # Errors
/// 401 without a valid API key, 403 with an upload URL that is not valid (for this address, or any
/// more), 404 for an address that can't be, 429 when it is too often.
pub(crate) fn authorise(
    app: &App,
    headers: &HeaderMap,
    uri: &Uri,
    (id, depiction): (&str, &str),
) -> Result<Target, Problem> {
    if let Some(token) = token_of(uri) {
        return by_token(app, &token, (id, depiction));
    }
    let tenant = app.admission.by_api_key(headers)?;
    let id = VerificationId::parse(id).map_err(|_| proofline_callers::not_found())?;
    let depiction = Depiction::from_word(depiction).ok_or_else(not_found)?;
    Ok(Target { key: VerificationKey { tenant: tenant.name.clone(), id }, depiction })
}

fn by_token(app: &App, token: &str, (id, depiction): (&str, &str)) -> Result<Target, Problem> {
    let refuse = || {
        unauthentic("/v1/verifications/{id}/images/{depiction}");
        let detail = "This upload URL is not valid, or no longer.";
        app.admission.refuse(Problem::new(Code::UploadUrlInvalid, detail))
    };
    let redeemed = app
        .settings
        .token_keys
        .redeem(Purpose::Upload, token, clock::now())
        .map_err(|_| refuse())?;
    let capability = redeemed.capability;
    if capability.verification_id != id || capability.detail.as_deref() != Some(depiction) {
        return Err(refuse());
    }
    let key = VerificationKey::parse(&capability.tenant, id).map_err(|_| refuse())?;
    let depiction = Depiction::from_word(depiction).ok_or_else(refuse)?;
    // First, so that whoever comes too often takes nothing from the tenant.
    app.shares.take(&key).map_err(Problem::too_many_requests)?;
    app.admission.count(&key.tenant)?;
    Ok(Target { key, depiction })
}

/// The `token` of the query, if there is one.
pub(crate) fn token_of(uri: &Uri) -> Option<String> {
    let query = uri.query()?.as_bytes();
    let mut pairs = url::form_urlencoded::parse(query);
    pairs.find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
}
