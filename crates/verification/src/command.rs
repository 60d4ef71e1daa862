//! What can be asked of a verification.

use proofline_events::{
    VerificationId,
    v1::{CaptureBy, Depiction, Flow, SignalSource},
};
use time::OffsetDateTime;

use crate::{Observation, Reason};

/// A request to change a verification; [`decide`](crate::decide) answers it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A caller asks for a verification.
    Request(Request),
    /// The dossier is there.
    RecordDossier {
        /// Assure's id.
        dossier_id: String,
        /// Names the Assure account it is in.
        assure_account: String,
        /// The processes that were there before.
        earlier_process_ids: Vec<String>,
    },
    /// The process is there.
    RecordProcess(ProcessDetails),
    /// Setting up will not be completed.
    FailSetup(Refused),
    /// An upload wants its depiction.
    StartUpload {
        /// Names this one upload.
        upload_id: String,
        /// Which image.
        depiction: Depiction,
        /// Until when it will have reported.
        until: OffsetDateTime,
    },
    /// An upload wants to keep the claim that it has.
    KeepClaim {
        /// Names this one upload.
        upload_id: String,
        /// Which image.
        depiction: Depiction,
        /// Until when it will have reported.
        until: OffsetDateTime,
    },
    /// An upload reports.
    FinishUpload {
        /// Names this one upload.
        upload_id: String,
        /// Which image.
        depiction: Depiction,
        /// How it went.
        result: UploadResult,
    },
    /// No more images: verify.
    Submit {
        /// Because the depictions of `submit_when` are in.
        automatic: bool,
        /// The provider's members of Start verification, if there are some.
        parameters: Option<StartParameters>,
    },
    /// Assure accepted Start verification.
    RecordStart,
    /// Assure refused it for good.
    RefuseStart(Refused),
    /// The caller discards the verification.
    Cancel,
    /// Assure was looked at: is this the end?
    Conclude {
        /// What the look showed.
        observation: Observation,
        /// Assure's id of the process that was looked at, if one was.
        process_id: Option<String>,
        /// The signal that made us look, if one did.
        signal: Option<SignalSource>,
        /// Where the result will be found.
        result_url: String,
    },
    /// The caller wants the personal data gone.
    Erase,
    /// It is gone, here and in Assure.
    RecordErasure,
}

/// What a caller asks for, checked already ([`crate::provider::resolve`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// How the end-user is verified.
    pub flow: Flow,
    /// Assure's name of the provider.
    pub provider: String,
    /// Assure's name of the process type; empty where the provider has none.
    pub process_type: String,
    /// Who takes the pictures; unspecified outside the document flow.
    pub capture_by: CaptureBy,
    /// Submit by itself once these are in.
    pub submit_when: Vec<Depiction>,
    /// The caller's own reference.
    pub reference: String,
    /// The caller's own tags.
    pub tags: Vec<String>,
    /// The deadline.
    pub expires_at: OffsetDateTime,
    /// It came with an idempotency key.
    pub resumable: bool,
    /// The earlier verification whose dossier is used again.
    pub same_dossier_as: Option<VerificationId>,
    /// Keyed fingerprint of the request, and the id of its key.
    pub fingerprint: (Vec<u8>, String),
}

/// The process, as Assure answered its creation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessDetails {
    /// Assure's id; `None` for a capture, whose end-user makes the process.
    pub process_id: Option<String>,
    /// How many pages of the document are wanted; 0 where the provider didn't say.
    pub document_pages: u32,
    /// Names the sealed document with what the end-user needs, if there is one.
    pub next_action_id: Option<String>,
}

/// The provider's members of Start verification, which are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartParameters {
    /// Names the sealed document.
    pub id: String,
    /// What the enrolment in them is compared with, if there is one.
    pub enrolled_with: Option<Depiction>,
}

/// A refusal by Assure, or our giving up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// HTTP status of the refusal, if there was one.
    pub http_status: Option<u16>,
    /// Assure's trace id of the refusal, if there was one.
    pub assure_trace_id: Option<String>,
}

/// How an upload went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadResult {
    /// Assure has the image.
    Received(ImageReceived),
    /// Assure has not got it: what it had before still counts.
    NotReceived {
        /// The problem code the caller is answered.
        code: String,
    },
    /// Nobody knows whether Assure has it.
    Unknown {
        /// The problem code the caller is answered.
        code: String,
    },
}

/// An image that Assure has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReceived {
    /// Size in bytes.
    pub size_bytes: u64,
    /// `image/jpeg` or `image/png`.
    pub media_type: String,
}
