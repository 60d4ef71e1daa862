//! What an uploader is told of each failure.

use std::time::Duration;

use proofline_assure::Error as AssureError;
use proofline_events::Word;
use proofline_journal::{Error as JournalError, ExecuteError};
use proofline_problem::{Code, Problem};
use proofline_verification::Refusal;

/// When to try again what could not be stored.
const STORAGE_RETRY: Duration = Duration::from_secs(2);
/// When to try again what Assure could not take, if it did not say.
const ASSURE_RETRY: Duration = Duration::from_secs(5);

pub(crate) fn not_found() -> Problem {
    Problem::new(Code::NotFound, "There is no such verification or image.")
}

pub(crate) fn too_large(max_bytes: u64) -> Problem {
    Problem::new(Code::ImageTooLarge, format!("An image has at most {max_bytes} bytes."))
}

pub(crate) fn unsupported() -> Problem {
    Problem::new(Code::UnsupportedImage, "The bytes are neither a JPEG's nor a PNG's.")
}

pub(crate) fn of_execute(error: &ExecuteError) -> Problem {
    match error {
        ExecuteError::Refused(refusal) => of_refusal(refusal),
        ExecuteError::Journal(error) => of_journal(error),
    }
}

fn of_journal(error: &JournalError) -> Problem {
    tracing::error!(%error, "the log could not be read or written");
    Problem::new(Code::StorageUnavailable, "The upload could not be stored now.")
        .retry_after(STORAGE_RETRY)
}

fn of_refusal(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::NotFound => not_found(),
        Refusal::AlreadyFinished => {
            Problem::new(Code::AlreadyFinished, "The verification is finished, or discarded.")
        }
        Refusal::AlreadySubmitted | Refusal::NothingToSubmit | Refusal::ImagesMissing(_) => {
            Problem::new(Code::AlreadySubmitted, "The verification is submitted.")
        }
        Refusal::StillCreating => {
            Problem::new(Code::InProgress, "The verification is still being created.")
                .retry_after(STORAGE_RETRY)
        }
        Refusal::UploadInProgress(depiction) => {
            let detail = format!("The image {} is being uploaded already.", depiction.word());
            Problem::new(Code::UploadInProgress, detail).retry_after(STORAGE_RETRY)
        }
        Refusal::DepictionNotAccepted => {
            Problem::new(Code::DepictionNotAccepted, "The provider does not take this image.")
        }
        Refusal::ClaimLost => {
            Problem::new(Code::UploadInProgress, "Another upload of this image came in between.")
        }
    }
}

pub(crate) fn of_assure(error: &AssureError) -> Problem {
    match error {
        AssureError::Refused(refusal) if refusal.status == 413 => {
            Problem::new(Code::ImageTooLarge, "Assure says that the image is too large.")
        }
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
            Problem::new(Code::AssureUnavailable, "Assure can't take the image now.")
                .retry_after(after)
        }
    }
}
