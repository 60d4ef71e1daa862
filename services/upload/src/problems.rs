//! What an uploader is told of an image that can't be taken.

use std::time::Duration;

use proofline_problem::{Code, Problem};

pub(crate) fn too_large(max_bytes: u64) -> Problem {
    Problem::new(Code::ImageTooLarge, format!("An image has at most {max_bytes} bytes."))
}

pub(crate) fn unsupported() -> Problem {
    Problem::new(Code::UnsupportedImage, "The bytes are neither a JPEG's nor a PNG's.")
}

/// Assure says so of an image that was within our own limit.
pub(crate) fn too_large_for_assure() -> Problem {
    Problem::new(Code::ImageTooLarge, "Assure says that the image is too large.")
}

/// What was sent so far is lost; this or another replica takes it again.
pub(crate) fn stopped() -> Problem {
    Problem::new(Code::StorageUnavailable, "The upload was stopped. Send the image again.")
        .retry_after(Duration::from_secs(1))
}

/// No more are taken at once.
pub(crate) fn too_many() -> Problem {
    Problem::new(Code::AssureUnavailable, "Too many images are on their way. Send it again.")
        .retry_after(Duration::from_secs(2))
}
