//! The list of codes, each with its status and title.

use std::fmt;

use axum::http::StatusCode;

/// Writes the enum and everything about a code from one table, so that nothing can be forgotten for a new one.
macro_rules! codes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $text:literal, $status:ident, $title:literal; )+) => {
        /// What went wrong, as a caller can tell by program. Part of the contract: texts and statuses stay.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $( $(#[doc = $doc])+ $variant, )+
        }

        impl Code {
            /// Every code, in the order of `docs/errors.md`.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// The code as it stands in `type`, after `urn:proofline:problem:`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $( Self::$variant => StatusCode::$status, )+ }
            }

            /// The summary, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $( Self::$variant => $title, )+ }
            }
        }
    };
}

codes! {
    /// No API key, or one that belongs to nobody.
    Unauthorized = "unauthorized", UNAUTHORIZED, "The API key is missing or unknown";
    /// Nothing of this tenant is at that address.
    NotFound = "not-found", NOT_FOUND, "There is no such thing";
    /// The request can't be read at all.
    Malformed = "malformed", BAD_REQUEST, "The request is malformed";
    /// The request can be read, but says something it must not.
    InvalidRequest = "invalid-request", UNPROCESSABLE_ENTITY, "The request is not valid";
    /// The body is over the limit.
    PayloadTooLarge = "payload-too-large", PAYLOAD_TOO_LARGE, "The request body is too large";
    /// The idempotency key was used for a request with another meaning.
    IdempotencyKeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The idempotency key belongs to another request";
    /// The same request is being worked on.
    InProgress = "in-progress", CONFLICT, "The same request is in progress";
    /// The other verification of the dossier is not finished.
    DossierInUse = "dossier-in-use", CONFLICT, "The dossier has an unfinished verification";
    /// Images that the process type needs are not there.
    ImagesMissing = "images-missing", CONFLICT, "Images are missing";
    /// An upload of the verification, or of the same depiction, is not over.
    UploadInProgress = "upload-in-progress", CONFLICT, "An upload is in progress";
    /// The verification has been submitted, so its images stay as they are.
    AlreadySubmitted = "already-submitted", CONFLICT, "The verification is already submitted";
    /// The flow has no submission.
    NothingToSubmit = "nothing-to-submit", CONFLICT, "This flow has nothing to submit";
    /// The verification has ended otherwise.
    AlreadyFinished = "already-finished", CONFLICT, "The verification is already finished";
    /// The verification has not ended.
    NotFinished = "not-finished", CONFLICT, "The verification is not finished";
    /// The personal data was erased at the caller's request.
    Erased = "erased", GONE, "The verification was erased";
    /// The result is no longer kept.
    ResultExpired = "result-expired", GONE, "The result is no longer kept";
    /// Assure no longer has it.
    GoneAtAssure = "gone-at-assure", GONE, "Assure no longer has it";
    /// The signed upload URL is wrong, for something else or over.
    UploadUrlInvalid = "upload-url-invalid", FORBIDDEN, "The upload URL is not valid";
    /// The image is over the limit, here or at Assure.
    ImageTooLarge = "image-too-large", PAYLOAD_TOO_LARGE, "The image is too large";
    /// The bytes are neither JPEG nor PNG.
    UnsupportedImage = "unsupported-image", UNSUPPORTED_MEDIA_TYPE, "The image is neither JPEG nor PNG";
    /// The provider does not take that depiction.
    DepictionNotAccepted = "depiction-not-accepted", UNPROCESSABLE_ENTITY, "The provider does not take this depiction";
    /// Assure refused what it was asked.
    AssureRefused = "assure-refused", UNPROCESSABLE_ENTITY, "Assure refused the request";
    /// Assure does not answer, is limiting us, or does not take our credentials.
    AssureUnavailable = "assure-unavailable", SERVICE_UNAVAILABLE, "Assure is not available";
    /// The log can't be written or read.
    StorageUnavailable = "storage-unavailable", SERVICE_UNAVAILABLE, "The request could not be stored";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str = include_str!("../../../docs/errors.md");

    #[test]
    fn the_manual_has_a_paragraph_for_every_code_and_no_other() {
        let headings: Vec<_> = MANUAL.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let codes: Vec<_> =
            Code::ALL.iter().map(|code| format!("`{code}` ({})", code.status().as_u16())).collect();
        assert_eq!(headings, codes);
    }

    #[test]
    fn every_paragraph_says_what_happened_who_must_act_and_what_to_try() {
        for section in MANUAL.split("\n## ").skip(1) {
            for part in ["**What happened:**", "**Who must act:**", "**What to try:**"] {
                assert_eq!(section.matches(part).count(), 1, "{part} in {section}");
            }
        }
    }

    #[test]
    fn codes_are_distinct_errors_in_kebab_case() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
