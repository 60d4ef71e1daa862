//! Images: claimed first, then reported.

use proofline_events::{Event, timestamp, v1};
use time::OffsetDateTime;
use v1::{Depiction, ImageStanding};

use super::{Refusal, names};
use crate::{Image, UploadResult, Verification};

/// Claims a depiction.
pub(super) fn start(
    state: &Verification,
    upload_id: String,
    depiction: Depiction,
    until: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Vec<Event>, Refusal> {
    if state.end.is_some() || state.is_discarded() {
        return Err(Refusal::AlreadyFinished);
    }
    let takes_it = state.takes_images()
        && state.capability().is_some_and(|c| c.depictions().any(|d| d == depiction));
    if !takes_it {
        return Err(Refusal::DepictionNotAccepted);
    }
    if state.process.is_none() {
        return Err(Refusal::StillCreating);
    }
    if state.submitted.is_some() {
        return Err(Refusal::AlreadySubmitted);
    }
    let image = state.images.get(depiction);
    if image.is_claimed(now) && !image.is_claim_of(&upload_id) {
        return Err(Refusal::UploadInProgress(depiction));
    }
    let standing = image.standing(now);
    let images =
        state.images.with(Image { depiction, standing, claim: Some((upload_id.clone(), until)) });
    let (tenant, verification_id) = names(&state.key);
    Ok(vec![
        v1::UploadStarted {
            tenant,
            verification_id,
            upload_id,
            depiction: depiction.into(),
            images: images.to_event(),
            claimed_until: Some(timestamp(until)),
        }
        .into(),
    ])
}

/// Keeps a claim: nobody but the upload that has it can, and not once it has reported.
pub(super) fn keep(
    state: &Verification,
    upload_id: String,
    depiction: Depiction,
    until: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Vec<Event>, Refusal> {
    if state.images.get(depiction).is_claim_of(&upload_id) {
        start(state, upload_id, depiction, until, now)
    } else {
        Err(Refusal::ClaimLost)
    }
}

pub(super) fn finish(
    state: &Verification,
    upload_id: String,
    depiction: Depiction,
    result: UploadResult,
) -> Result<Vec<Event>, Refusal> {
    let image = state.images.get(depiction);
    // A claim that ran out is still ours as long as nobody else took the depiction: as it counts as
    // unknown meanwhile, no submission can have relied on it.
    if !image.is_claim_of(&upload_id) {
        return Err(Refusal::ClaimLost);
    }
    let standing = match &result {
        UploadResult::Received(_) => ImageStanding::Present,
        UploadResult::NotReceived { .. } => image.standing,
        UploadResult::Unknown { .. } => ImageStanding::Unknown,
    };
    let images = state.images.with(Image { depiction, standing, claim: None }).to_event();
    let depiction = depiction.into();
    let (tenant, verification_id) = names(&state.key);
    Ok(vec![match result {
        UploadResult::Received(received) => v1::ImageUploaded {
            tenant,
            verification_id,
            upload_id,
            depiction,
            images,
            size_bytes: received.size_bytes,
            media_type: received.media_type,
        }
        .into(),
        UploadResult::NotReceived { code } | UploadResult::Unknown { code } => v1::UploadFailed {
            tenant,
            verification_id,
            upload_id,
            depiction,
            images,
            reason_code: code,
        }
        .into(),
    }])
}
