//! From the caller's request to a process in Assure.

use proofline_events::{Event, VerificationKey, timestamp, v1};
use time::OffsetDateTime;

use super::{Refusal, names};
use crate::{Images, ProcessDetails, Refused, Request, Verification};

pub(super) fn request(key: &VerificationKey, request: Request, now: OffsetDateTime) -> Vec<Event> {
    let (tenant, verification_id) = names(key);
    let (fingerprint, fingerprint_key_id) = request.fingerprint;
    vec![
        v1::VerificationRequested {
            tenant,
            verification_id,
            flow: request.flow.into(),
            provider: request.provider,
            process_type: request.process_type,
            capture_by: request.capture_by.into(),
            submit_when: request.submit_when.into_iter().map(i32::from).collect(),
            reference: request.reference,
            tags: request.tags,
            requested_at: Some(timestamp(now)),
            expires_at: Some(timestamp(request.expires_at)),
            resumable: request.resumable,
            fingerprint,
            fingerprint_key_id,
            same_dossier_as: request.same_dossier_as.map_or(String::new(), |id| id.to_string()),
        }
        .into(),
    ]
}

pub(super) fn record_dossier(
    state: &Verification,
    dossier_id: String,
    assure_account: String,
    earlier_process_ids: Vec<String>,
) -> Result<Vec<Event>, Refusal> {
    refuse_if_over(state)?;
    if state.dossier_id.is_some() {
        return Ok(Vec::new());
    }
    let (tenant, verification_id) = names(&state.key);
    Ok(vec![
        v1::DossierCreated {
            tenant,
            verification_id,
            dossier_id,
            assure_account,
            earlier_process_ids,
        }
        .into(),
    ])
}

pub(super) fn record_process(
    state: &Verification,
    process: ProcessDetails,
) -> Result<Vec<Event>, Refusal> {
    refuse_if_over(state)?;
    let Some(dossier_id) = &state.dossier_id else {
        return Err(Refusal::StillCreating);
    };
    if state.process.is_some() {
        return Ok(Vec::new());
    }
    let (tenant, verification_id) = names(&state.key);
    Ok(vec![
        v1::ProcessCreated {
            tenant,
            verification_id,
            dossier_id: dossier_id.clone(),
            process_id: process.process_id.unwrap_or_default(),
            document_pages: process.document_pages,
            earlier_process_ids: state.earlier_process_ids.clone(),
            next_action_id: process.next_action_id.unwrap_or_default(),
        }
        .into(),
    ])
}

pub(super) fn fail(state: &Verification, refused: Refused) -> Result<Vec<Event>, Refusal> {
    if state.end.is_some() {
        return Err(Refusal::AlreadyFinished);
    }
    if state.setup_failure.is_some() || (state.process.is_some() && !is_lost(state)) {
        return Ok(Vec::new());
    }
    let (tenant, verification_id) = names(&state.key);
    Ok(vec![
        v1::SetupFailed {
            tenant,
            verification_id,
            reason_code: refused.reason.code().to_owned(),
            http_status: refused.http_status.map_or(0, u32::from),
            assure_trace_id: refused.assure_trace_id.unwrap_or_default(),
        }
        .into(),
    ])
}

/// Whether the answer to its creation was lost with nobody to repeat it, and so with nobody who knows
/// that it is there. Only asked when that answer is known to have failed.
fn is_lost(state: &Verification) -> bool {
    let is_used = state.submitted.is_some() || state.images != Images::default();
    !state.request.resumable && !is_used
}

/// Nothing more is created for a verification that is over.
fn refuse_if_over(state: &Verification) -> Result<(), Refusal> {
    let is_over = state.end.is_some() || state.setup_failure.is_some() || state.is_discarded();
    if is_over { Err(Refusal::AlreadyFinished) } else { Ok(()) }
}
