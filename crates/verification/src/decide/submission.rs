//! Submission, and Assure's answer to Start verification.

use proofline_events::{
    Event,
    v1::{self, CaptureBy},
};
use time::OffsetDateTime;

use super::{Refusal, names};
use crate::{Refused, StartParameters, Verification, provider};

pub(super) fn submit(
    state: &Verification,
    automatic: bool,
    parameters: Option<StartParameters>,
    now: OffsetDateTime,
) -> Result<Vec<Event>, Refusal> {
    if !state.takes_submission() {
        return Err(Refusal::NothingToSubmit);
    }
    if state.submitted.is_some() {
        return Ok(Vec::new());
    }
    if state.end.is_some() || state.is_discarded() {
        return Err(Refusal::AlreadyFinished);
    }
    if state.process.is_none() {
        return Err(Refusal::StillCreating);
    }
    if let Some(depiction) = state.images.claimed(now) {
        return Err(Refusal::UploadInProgress(depiction));
    }
    let missing = if automatic { state.wanted_images(now) } else { state.missing_images(now) };
    if !missing.is_empty() {
        return Err(Refusal::ImagesMissing(missing));
    }
    if state.starts_with() == provider::Start::WithEnrolment {
        let depiction = parameters.as_ref().and_then(|parameters| parameters.enrolled_with);
        let depiction = depiction.ok_or(Refusal::EnrolmentMissing)?;
        // Where the SDK has the lead the image may also be in the dossier already.
        let must_be_ours = state.request.capture_by == CaptureBy::Upload;
        if must_be_ours && !state.images.present(now).contains(&depiction) {
            return Err(Refusal::ImagesMissing(vec![depiction]));
        }
    }
    let (tenant, verification_id) = names(&state.key);
    let depictions = state.images.present(now).into_iter().map(i32::from).collect();
    let parameters_id = parameters.map(|parameters| parameters.id).unwrap_or_default();
    Ok(vec![
        v1::SubmissionRequested { tenant, verification_id, depictions, automatic, parameters_id }
            .into(),
    ])
}

pub(super) fn record_start(state: &Verification) -> Result<Vec<Event>, Refusal> {
    let Some(process) = &state.process else {
        return Err(Refusal::StillCreating);
    };
    if state.start.is_some() {
        return Ok(Vec::new());
    }
    if state.end.is_some() {
        return Err(Refusal::AlreadyFinished);
    }
    let (tenant, verification_id) = names(&state.key);
    let process_id = process.id.clone().unwrap_or_default();
    Ok(vec![v1::VerificationStarted { tenant, verification_id, process_id }.into()])
}

pub(super) fn refuse_start(state: &Verification, refused: Refused) -> Result<Vec<Event>, Refusal> {
    if state.start.is_some() {
        return Ok(Vec::new());
    }
    if state.end.is_some() {
        return Err(Refusal::AlreadyFinished);
    }
    let (tenant, verification_id) = names(&state.key);
    Ok(vec![
        v1::StartRefused {
            tenant,
            verification_id,
            reason_code: refused.reason.code().to_owned(),
            http_status: refused.http_status.map_or(0, u32::from),
            assure_trace_id: refused.assure_trace_id.unwrap_or_default(),
        }
        .into(),
    ])
}
