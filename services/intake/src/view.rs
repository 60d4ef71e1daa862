//! A verification as callers see it.

use std::collections::BTreeMap;

use proofline_ambient::clock;
use proofline_events::{
    Word,
    v1::{Depiction, Outcome},
};
use proofline_problem::Problem;
use proofline_seal::{Capability, Purpose};
use proofline_verification::{NextAction, Reason, Status, Verification};
use serde::Serialize;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::ToSchema;

use crate::{
    Settings,
    app::App,
    next_action::{EndUserAction, Sdk},
    openapi::words,
};

/// How long an upload URL is valid.
const UPLOAD_URL_LIFETIME: Duration = Duration::HOUR;

/// A verification as it is now.
// Not `Debug`, as the next action may be secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Verification)]
pub(crate) struct View {
    /// Its id.
    #[schema(pattern = "^vrf_[0-9a-z]{20,40}$", examples("vrf_01h8xv6k3m5n7p9r1t3v5x7z9b"))]
    id: String,
    /// How the end-user is verified.
    #[schema(value_type = words::Flow)]
    flow: &'static str,
    /// Assure's name of the provider.
    provider: String,
    /// Assure's name of the process type.
    #[schema(required = true)]
    process_type: Option<String>,
    /// Your own reference.
    #[schema(required = true)]
    reference: Option<String>,
    /// Your own tags.
    tags: Vec<String>,
    /// How far it has come.
    #[schema(value_type = words::Status)]
    status: &'static str,
    /// How it ended; null until it did.
    #[schema(required = true, value_type = Option<words::Outcome>)]
    outcome: Option<&'static str>,
    /// Why, where the outcome alone does not say.
    #[schema(required = true)]
    reason: Option<ReasonView>,
    /// Assure's id of the dossier.
    #[schema(required = true)]
    dossier_id: Option<String>,
    /// Assure's id of the process.
    #[schema(required = true)]
    process_id: Option<String>,
    /// The images that Assure has.
    #[schema(value_type = Vec<words::Depiction>)]
    images: Vec<&'static str>,
    /// What to do next; null when finished.
    #[schema(required = true)]
    next_action: Option<NextActionView>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When anything last happened to it.
    #[schema(format = DateTime)]
    updated_at: String,
    /// Its deadline.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it ended.
    #[schema(required = true, format = DateTime)]
    finished_at: Option<String>,
}

/// Why a verification ended as it did, where its outcome alone does not say.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reason)]
struct ReasonView {
    /// For programs.
    #[schema(examples("never-submitted"))]
    code: &'static str,
    /// For people.
    message: &'static str,
}

/// What to do next.
#[derive(Serialize, ToSchema)]
#[schema(as = NextAction)]
#[serde(tag = "type", rename_all = "snake_case")]
enum NextActionView {
    /// Images are wanted. Put each to its upload URL, which is valid for an hour; reading the
    /// verification again gives fresh ones.
    UploadImages {
        /// The images that are still wanted.
        #[schema(value_type = Vec<words::Depiction>)]
        depictions: Vec<&'static str>,
        /// A signed address for every image that the provider takes, by depiction.
        upload_urls: BTreeMap<&'static str, String>,
        /// Where the provider's SDK is needed too.
        #[serde(skip_serializing_if = "Option::is_none")]
        sdk: Option<Sdk>,
    },
    /// Start the provider's SDK in the end-user's browser or app.
    UseSdk(Sdk),
    /// Send the end-user to this page.
    Redirect {
        /// The page, for this end-user alone.
        #[schema(format = "uri")]
        url: String,
    },
    /// Nothing is missing: submit.
    Submit,
    /// Nothing to do but to wait.
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
