//! Commands in, events out. One file for each part of a verification's life.

mod ending;
mod erasure;
mod setup;
mod submission;
mod uploads;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use proofline_events::{Event, VerificationKey, v1::Depiction};
use time::OffsetDateTime;

use crate::{Command, Verification};

/// Why a command changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such verification.
    #[error("there is no such verification")]
    NotFound,
    /// It has its end, or the caller has discarded it.
    #[error("the verification is finished")]
    AlreadyFinished,
    /// Submission was requested already.
    #[error("the verification is submitted")]
    AlreadySubmitted,
    /// This flow has no submission.
    #[error("this flow has nothing to submit")]
    NothingToSubmit,
    /// It is not set up in Assure yet.
    #[error("the verification is still being created")]
    StillCreating,
    /// These images must come first.
    #[error("images are missing")]
    ImagesMissing(Vec<Depiction>),
    /// This image is being uploaded.
    #[error("an upload is in progress")]
    UploadInProgress(Depiction),
    /// The provider does not take this image.
    #[error("the provider does not take this image")]
    DepictionNotAccepted,
    /// The provider's members of Start verification are missing.
    #[error("the enrolment is missing")]
    EnrolmentMissing,
    /// The upload no longer holds its depiction.
    #[error("the upload no longer holds its depiction")]
    ClaimLost,
}

/// Answers a command. No events means: that has been done already, or there is nothing to tell.
///
/// # Errors
/// [`Refusal`] when the verification's state does not allow it.
pub fn decide(
    key: &VerificationKey,
    state: Option<&Verification>,
    command: Command,
    now: OffsetDateTime,
) -> Result<Vec<Event>, Refusal> {
    let Some(state) = state else {
        let Command::Request(request) = command else {
            return Err(Refusal::NotFound);
        };
        return Ok(setup::request(key, request, now));
    };
    match command {
        Command::Request(_) => Ok(Vec::new()),
        Command::RecordDossier { dossier_id, assure_account, earlier_process_ids } => {
            setup::record_dossier(state, dossier_id, assure_account, earlier_process_ids)
        }
        Command::RecordProcess(process) => setup::record_process(state, process),
        Command::FailSetup(refused) => setup::fail(state, refused),
        Command::StartUpload { upload_id, depiction, until } => {
            uploads::start(state, upload_id, depiction, until, now)
        }
        Command::KeepClaim { upload_id, depiction, until } => {
            uploads::keep(state, upload_id, depiction, until, now)
        }
        Command::FinishUpload { upload_id, depiction, result } => {
            uploads::finish(state, upload_id, depiction, result)
        }
        Command::Submit { automatic, parameters } => {
            submission::submit(state, automatic, parameters, now)
        }
        Command::RecordStart => submission::record_start(state),
        Command::RefuseStart(refused) => submission::refuse_start(state, refused),
        Command::Cancel => ending::cancel(state),
        Command::Conclude { observation, process_id, signal, result_url } => {
            let look = ending::Look { observation: &observation, process_id, signal };
            Ok(ending::conclude(state, look, result_url, now))
        }
        Command::Erase => Ok(erasure::erase(state)),
        Command::RecordErasure => Ok(erasure::record(state)),
    }
}

fn names(key: &VerificationKey) -> (String, String) {
    (key.tenant.to_string(), key.id.to_string())
}
