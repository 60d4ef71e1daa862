//! What a caller is told of each failure.

use std::time::Duration;

use proofline_assure::Error as AssureError;
use proofline_events::Word;
use proofline_journal::{Error as JournalError, ExecuteError};
use proofline_problem::{Code, Problem};
use proofline_verification::Refusal;

/// When to try again what could not be stored.
const STORAGE_RETRY: Duration = Duration::from_secs(2);
/// When to try again what Assure could not be asked, if it did not say.
const ASSURE_RETRY: Duration = Duration::from_secs(5);

/// There is no such verification, or image of one, of this tenant.
pub fn not_found() -> Problem {
    Problem::new(Code::NotFound, "There is no such verification, or image.")
}

/// NATS is away. Logged here, as every caller is told the same.
pub fn of_journal(error: &JournalError) -> Problem {
    tracing::error!(%error, "the log could not be read or written");
    Problem::new(Code::StorageUnavailable, "The request could not be stored or answered now.")
        .retry_after(STORAGE_RETRY)
}

/// A command was refused, or could not be carried out.
pub fn of_execute(error: &ExecuteError) -> Problem {
    match error {
        ExecuteError::Refused(refusal) => of_refusal(refusal),
        ExecuteError::Journal(error) => of_journal(error),
    }
}

/// The verification's state does not allow it.
pub fn of_refusal(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::NotFound => not_found(),
        Refusal::AlreadyFinished => {
            Problem::new(Code::AlreadyFinished, "The verification is finished, or discarded.")
        }
        Refusal::AlreadySubmitted => {
            Problem::new(Code::AlreadySubmitted, "The verification is submitted.")
        }
        Refusal::NothingToSubmit => {
            Problem::new(Code::NothingToSubmit, "This flow has nothing to submit.")
        }
        Refusal::StillCreating => {
            Problem::new(Code::InProgress, "The verification is still being created.")
                .retry_after(STORAGE_RETRY)
        }
        Refusal::ImagesMissing(missing) => {
            let words: Vec<_> = missing.iter().map(|depiction| depiction.word()).collect();
            let detail = format!("These images must be uploaded first: {}.", words.join(", "));
            Problem::new(Code::ImagesMissing, detail).extension("images", words)
        }
        Refusal::UploadInProgress(depiction) => {
            let detail = format!("The image {} is being uploaded.", depiction.word());
            Problem::new(Code::UploadInProgress, detail).retry_after(STORAGE_RETRY)
        }
        Refusal::DepictionNotAccepted => {
            Problem::new(Code::DepictionNotAccepted, "The provider does not take this image.")
        }
        Refusal::EnrolmentMissing => {
            Problem::new(Code::InvalidRequest, "The provider needs the end-user's enrolment.")
                .fault("/parameters/facetecEnrollment", "is required: what the SDK took")
                .fault("/parameters/imageDepiction", "is required: front or selfie")
        }
        Refusal::ClaimLost => {
            Problem::new(Code::UploadInProgress, "Another upload of this image came in between.")
        }
    }
}

/// Assure refused, or could not be asked.
pub fn of_assure(error: &AssureError) -> Problem {
    match error {
        AssureError::Refused(refusal) => {
            let detail = refusal.detail.clone().or_else(|| refusal.title.clone());
            let detail = detail.unwrap_or_else(|| "Assure refused without saying why.".to_owned());
            Problem::new(Code::AssureRefused, detail)
                .extension("assure_title", refusal.title.clone())
                .extension("assure_status", refusal.status)
                .extension("assure_trace_id", refusal.trace_id.clone())
        }
        AssureError::SourceBroke => Problem::new(Code::Malformed, "The image broke off."),
        AssureError::Limited { .. }
        | AssureError::Unavailable { .. }
        | AssureError::Credentials => {
            let after = error.retry_after().flatten().unwrap_or(ASSURE_RETRY);
            Problem::new(Code::AssureUnavailable, "Assure can't be asked now.").retry_after(after)
        }
    }
}
