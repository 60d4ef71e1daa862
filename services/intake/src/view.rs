//! A verification as callers see it.

use std::collections::BTreeMap;

use proofline_events::{
    Word,
    v1::{Depiction, Outcome},
};
use proofline_problem::Problem;
use proofline_seal::{Capability, Purpose};
use proofline_service::clock;
use proofline_verification::{NextAction, Reason, Status, Verification};
use serde::Serialize;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    Settings,
    app::App,
    next_action::{EndUserAction, Sdk},
};

/// How long an upload URL is valid.
const UPLOAD_URL_LIFETIME: Duration = Duration::HOUR;

/// Not `Debug`, as the next action may be secret.
#[derive(Serialize)]
pub(crate) struct View {
    id: String,
    flow: &'static str,
    provider: String,
    process_type: Option<String>,
    reference: Option<String>,
    tags: Vec<String>,
    status: &'static str,
    outcome: Option<&'static str>,
    reason: Option<ReasonView>,
    dossier_id: Option<String>,
    process_id: Option<String>,
    images: Vec<&'static str>,
    next_action: Option<NextActionView>,
    created_at: String,
    updated_at: String,
    expires_at: String,
    finished_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct ReasonView {
    code: &'static str,
    message: &'static str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum NextActionView {
    UploadImages {
        depictions: Vec<&'static str>,
        upload_urls: BTreeMap<&'static str, String>,
        /// Where the provider's SDK is needed too.
        #[serde(skip_serializing_if = "Option::is_none")]
        sdk: Option<Sdk>,
    },
    UseSdk(Sdk),
    Redirect {
        url: String,
    },
    Submit,
    Wait,
}

/// Shows a verification as it is now, and to its caller alone: there may be secrets in it.
///
/// # Errors
/// The problem that NATS is away.
pub(crate) async fn view(app: &App, verification: &Verification) -> Result<View, Problem> {
    let sealed = EndUserAction::open(&app.vault, verification).await?;
    Ok(view_at(verification, sealed, &app.settings, clock::now()))
}

fn view_at(
    verification: &Verification,
    sealed: Option<EndUserAction>,
    settings: &Settings,
    now: OffsetDateTime,
) -> View {
    let request = &verification.request;
    let end = verification.end.as_ref();
    View {
        id: verification.key.id.to_string(),
        flow: request.flow.word(),
        provider: request.provider.clone(),
        process_type: non_empty(&request.process_type),
        reference: non_empty(&request.reference),
        tags: request.tags.clone(),
        status: status_word(verification.status()),
        outcome: end.map(|end| end.outcome).filter(|o| *o != Outcome::Unspecified).map(Word::word),
        reason: end.and_then(|end| end.reason).map(ReasonView::of),
        dossier_id: verification.dossier_id.clone(),
        process_id: verification.process.as_ref().and_then(|process| process.id.clone()),
        images: verification.images.present(now).into_iter().map(Word::word).collect(),
        next_action: verification.next_action(now).map(|action| match (action, sealed) {
            (NextAction::UploadImages(wanted), sealed) => NextActionView::UploadImages {
                depictions: wanted.iter().map(|depiction| depiction.word()).collect(),
                upload_urls: upload_urls(verification, settings, now),
                sdk: sealed.and_then(EndUserAction::into_sdk),
            },
            (NextAction::LetEndUserAct, Some(EndUserAction::UseSdk(sdk))) => {
                NextActionView::UseSdk(sdk)
            }
            (NextAction::LetEndUserAct, Some(EndUserAction::Redirect { url })) => {
                NextActionView::Redirect { url }
            }
            (NextAction::Submit, _) => NextActionView::Submit,
            (NextAction::Wait | NextAction::LetEndUserAct, _) => NextActionView::Wait,
        }),
        created_at: rfc3339(verification.requested_at),
        updated_at: rfc3339(verification.updated_at),
        expires_at: rfc3339(request.expires_at),
        finished_at: end.map(|end| rfc3339(end.finished_at)),
    }
}

/// A signed address for every image the provider takes, wanted or optional.
fn upload_urls(
    verification: &Verification,
    settings: &Settings,
    now: OffsetDateTime,
) -> BTreeMap<&'static str, String> {
    let depictions = verification.capability().into_iter().flat_map(|c| c.depictions());
    depictions.map(|d| (d.word(), upload_url(verification, d, settings, now))).collect()
}

fn upload_url(
    verification: &Verification,
    depiction: Depiction,
    settings: &Settings,
    now: OffsetDateTime,
) -> String {
    let key = &verification.key;
    let token = settings.keys.tokens.mint(&Capability {
        purpose: Purpose::Upload,
        tenant: key.tenant.to_string(),
        verification_id: key.id.to_string(),
        expires_at: now + UPLOAD_URL_LIFETIME,
        detail: Some(depiction.word().to_owned()),
    });
    let base = settings.upload_url.as_str().trim_end_matches('/');
    format!("{base}/v1/verifications/{}/images/{}?token={token}", key.id, depiction.word())
}

impl ReasonView {
    fn of(reason: Reason) -> Self {
        Self { code: reason.code(), message: reason.message() }
    }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Creating => "creating",
        Status::AwaitingImages => "awaiting_images",
        Status::AwaitingEndUser => "awaiting_end_user",
        Status::Submitted => "submitted",
        Status::Verifying => "verifying",
        Status::Finished => "finished",
        Status::Erased => "erased",
    }
}

fn non_empty(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// A time as the API writes it.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).expect("years 0 to 9999 can be formatted")
}
