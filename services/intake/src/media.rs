//! `GET …/images/{depiction}`, `…/video` and `…/download`: what Assure holds, streamed through.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use proofline_assure::{Error as AssureError, Media};
use proofline_callers::{not_found, of_assure};
use proofline_events::VerificationKey;
use proofline_problem::{Code, Problem};

use crate::{
    app::{App, SharedApp, Target},
    get_verification::read_latest,
    openapi::{problems, words},
};

/// What it means not to find what was created under another account.
const ELSEWHERE: AssureError = AssureError::Unavailable {
    cause: "the process is in another account",
    may_have_happened: false,
};

/// What Assure may hold an image of; the portrait is read off a chip or a document.
const DEPICTIONS: [&str; 4] = ["front", "back", "selfie", "portrait"];

/// Reads an image
///
/// Streamed through from Assure.
#[utoipa::path(
    get, path = "/v1/verifications/{id}/images/{depiction}", tag = "results",
    operation_id = "getImage",
    params(
        ("id" = String, Path, description = "The verification's id."),
        ("depiction" = inline(words::Picture), Path, description = "Which image."),
    ),
    responses(
        (status = 200, description = "The image.",
            content(("image/*"), ("application/octet-stream"))),
        problems::Media,
    ),
)]
pub(crate) async fn image(
    State(app): State<SharedApp>,
    Target(key): Target,
    Path((_, depiction)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let known = DEPICTIONS.into_iter().find(|known| *known == depiction);
    hand_on(&app, &key, Media::Image(known.ok_or_else(not_found)?)).await
}

/// Reads the video
///
/// Streamed through from Assure.
#[utoipa::path(
    get, path = "/v1/verifications/{id}/video", tag = "results", operation_id = "getVideo",
    params(("id" = String, Path, description = "The verification's id.")),
    responses(
        (status = 200, description = "The video.",
            content(("video/*"), ("application/octet-stream"))),
        problems::Media,
    ),
)]
pub(crate) async fn video(
    State(app): State<SharedApp>,
    Target(key): Target,
) -> Result<Response, Problem> {
    hand_on(&app, &key, Media::Video).await
}

/// Downloads everything
///
/// All that Assure has of the process, as one archive, streamed through.
#[utoipa::path(
    get, path = "/v1/verifications/{id}/download", tag = "results", operation_id = "download",
    params(("id" = String, Path, description = "The verification's id.")),
    responses(
        (status = 200, description = "The archive.",
            content(("application/zip"), ("application/octet-stream"))),
        problems::Media,
    ),
)]
pub(crate) async fn download(
    State(app): State<SharedApp>,
    Target(key): Target,
) -> Result<Response, Problem> {
    hand_on(&app, &key, Media::Download).await
}

async fn hand_on(app: &App, key: &VerificationKey, media: Media) -> Result<Response, Problem> {
    let verification = read_latest(app, key).await?;
    if verification.is_erasure_requested {
        return Err(Problem::new(Code::Erased, "The verification was erased."));
    }
    if verification.end.is_none() {
        return Err(Problem::new(Code::NotFinished, "The verification is not finished."));
    }
    let process_id = verification.process.as_ref().and_then(|process| process.id.as_ref());
    let (Some(dossier_id), Some(process_id)) = (&verification.dossier_id, process_id) else {
        return Err(nothing());
    };
    let assure = app.assure.of(key.tenant.as_str());
    let opened = assure.open_media(dossier_id, process_id, media).await;
    let Some(opened) = opened.map_err(|error| of_assure(&error))? else {
        let process = assure.get_process(dossier_id, process_id).await;
        return Err(match process.map_err(|error| of_assure(&error))? {
            Some(_) => nothing(),
            // A client of another account finds nothing, whether or not it is there.
            None if verification.is_elsewhere(&assure.account_id()) => of_assure(&ELSEWHERE),
            None => Problem::new(Code::GoneAtAssure, "Assure no longer has the process."),
        });
    };
    let given = opened.media_type().and_then(|value| HeaderValue::from_str(value).ok());
    // The first piece tells what it is, where Assure does not.
    let mut pieces = Box::pin(opened.into_stream());
    let first = match pieces.next().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(of_assure(&error)),
        None => return Err(nothing()),
    };
    let media_type = given.unwrap_or_else(|| sniff(&first));
    let whole =
        stream::once(std::future::ready(Ok(first))).chain(pieces.map_err(std::io::Error::other));
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, Body::from_stream(whole)).into_response())
}

fn nothing() -> Problem {
    Problem::new(Code::NotFound, "Assure has none of this verification.")
}

fn sniff(first: &[u8]) -> HeaderValue {
    HeaderValue::from_static(match first {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'P', b'K', 3, 4, ..] => "application/zip",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "video/mp4",
        _ => "application/octet-stream",
    })
}
