//! A verification as its log tells it.

use proofline_events::{
    Event, Recorded, VerificationKey, from_timestamp,
    v1::{CaptureBy, Depiction, Flow, Outcome, SignalSource},
};
use time::OffsetDateTime;

use crate::{Images, Reason, Request, provider::Capability};

/// A verification.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// Whose it is.
    pub key: VerificationKey,
    /// What was asked for.
    pub request: Request,
    /// When it was asked for.
    pub requested_at: OffsetDateTime,
    /// Time of the newest event.
    pub updated_at: OffsetDateTime,
    /// Assure's id of the dossier.
    pub dossier_id: Option<String>,
    /// Names the Assure account it is in; empty where the log does not say.
    pub assure_account: String,
    /// The process in Assure.
    pub process: Option<Process>,
    /// Setting up will not be completed.
    pub setup_failure: Option<SetupFailure>,
    /// What is known of the images.
    pub images: Images,
    /// The images that are verified, once submission was requested.
    pub submitted: Option<Vec<Depiction>>,
    /// What Assure answered to Start verification.
    pub start: Option<Start>,
    /// The caller discards it.
    pub is_cancellation_requested: bool,
    /// The end.
    pub end: Option<End>,
    /// The personal data is to go.
    pub is_erasure_requested: bool,
    /// The personal data is gone.
    pub is_erased: bool,
}

/// The process in Assure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Assure's id.
    pub process_id: String,
}

/// Why setting up was not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupFailure {
    /// Refused, or failed.
    pub reason: Reason,
    /// Assure's trace id, if it refused.
    pub assure_trace_id: Option<String>,
}

/// What Assure answered to Start verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It verifies.
    Accepted,
    /// It never will.
    Refused(Reason),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// How.
    pub outcome: Outcome,
    /// Why, where the outcome alone does not say.
    pub reason: Option<Reason>,
    /// The last status seen at Assure; empty when none was.
    pub assure_status: String,
    /// The signal that led to the end.
    pub signal_source: SignalSource,
    /// When we learned of it.
    pub finished_at: OffsetDateTime,
}

/// Where a verification stands, as callers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Being set up in Assure.
    Creating,
    /// Waits for images.
    AwaitingImages,
    /// Waits for the end-user.
    AwaitingEndUser,
    /// Submission is requested.
    Submitted,
    /// Assure verifies.
    Verifying,
    /// It has its end.
    Finished,
    /// Its personal data is gone, or going.
    Erased,
}

/// What the caller should do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextAction {
    /// Upload these images.
    UploadImages(Vec<Depiction>),
    /// Submit.
    Submit,
    /// Wait.
    Wait,
}

/// Folds one more event into a verification. Takes the events of one verification in the order of
/// their sequence; as every repeated event carries all it changes, the newest of each suffices.
pub fn evolve(state: Option<Verification>, recorded: &Recorded) -> Option<Verification> {
    let mut state = match (state, &recorded.event) {
        (None, Event::VerificationRequested(e)) => requested(recorded, e)?,
        (state, _) => state?,
    };
    state.updated_at = state.updated_at.max(recorded.envelope.time);
    match &recorded.event {
        Event::VerificationRequested(_) | Event::CompletionSignalled(_) => {}
        Event::DossierCreated(e) => {
            state.dossier_id = Some(e.dossier_id.clone());
            state.assure_account = e.assure_account.clone();
        }
        Event::ProcessCreated(e) => {
            state.process = Some(Process { process_id: e.process_id.clone() });
        }
        Event::SetupFailed(e) => {
            state.setup_failure = Some(SetupFailure {
                reason: Reason::parse(&e.reason_code).unwrap_or(Reason::SetupFailed),
                assure_trace_id: Some(e.assure_trace_id.clone()).filter(|id| !id.is_empty()),
            });
        }
        Event::UploadStarted(e) => state.images = Images::from_event(&e.images),
        Event::ImageUploaded(e) => state.images = Images::from_event(&e.images),
        Event::UploadFailed(e) => state.images = Images::from_event(&e.images),
        Event::SubmissionRequested(e) => state.submitted = Some(e.depictions().collect()),
        Event::VerificationStarted(_) => state.start = Some(Start::Accepted),
        Event::StartRefused(e) => {
            let reason = Reason::parse(&e.reason_code).unwrap_or(Reason::StartRefused);
            state.start = Some(Start::Refused(reason));
        }
        Event::CancellationRequested(_) => state.is_cancellation_requested = true,
        Event::ProcessFinished(e) => {
            // The first end stays for ever.
            state.end.get_or_insert_with(|| End {
                outcome: e.outcome(),
                reason: Reason::parse(&e.reason_code),
                assure_status: e.assure_status.clone(),
                signal_source: e.signal_source(),
                finished_at: e
                    .finished_at
                    .as_ref()
                    .and_then(from_timestamp)
                    .unwrap_or(recorded.envelope.time),
            });
        }
        Event::ErasureRequested(_) => state.is_erasure_requested = true,
        Event::DataErased(_) => state.is_erased = true,
    }
    Some(state)
}

/// Folds a log; `None` when there is no verification.
pub fn fold<'a>(log: impl IntoIterator<Item = &'a Recorded>) -> Option<Verification> {
    log.into_iter().fold(None, evolve)
}

fn requested(
    recorded: &Recorded,
    e: &proofline_events::v1::VerificationRequested,
) -> Option<Verification> {
    let requested_at = e.requested_at.as_ref().and_then(from_timestamp)?;
    Some(Verification {
        key: recorded.key.clone(),
        request: Request {
            flow: e.flow(),
            provider: e.provider.clone(),
            process_type: e.process_type.clone(),
            capture_by: e.capture_by(),
            submit_when: e.submit_when().collect(),
            reference: e.reference.clone(),
            tags: e.tags.clone(),
            expires_at: e.expires_at.as_ref().and_then(from_timestamp)?,
            resumable: e.resumable,
            fingerprint: (e.fingerprint.clone(), e.fingerprint_key_id.clone()),
        },
        requested_at,
        updated_at: requested_at,
        dossier_id: None,
        assure_account: String::new(),
        process: None,
        setup_failure: None,
        images: Images::default(),
        submitted: None,
        start: None,
        is_cancellation_requested: false,
        end: None,
        is_erasure_requested: false,
        is_erased: false,
    })
}

impl Verification {
    /// Where it stands, as callers see it.
    pub fn status(&self) -> Status {
        if self.is_erasure_requested {
            Status::Erased
        } else if self.end.is_some() {
            Status::Finished
        } else if self.start == Some(Start::Accepted) {
            Status::Verifying
        } else if self.submitted.is_some() {
            Status::Submitted
        } else if self.process.is_none() {
            Status::Creating
        } else if self.takes_images() {
            Status::AwaitingImages
        } else {
            Status::AwaitingEndUser
        }
    }

    /// What the caller should do next; `None` once there is nothing more to do.
    pub fn next_action(&self, now: OffsetDateTime) -> Option<NextAction> {
        let wanted = match self.status() {
            Status::Finished | Status::Erased => return None,
            Status::AwaitingImages if !self.is_cancellation_requested => self.wanted_images(now),
            Status::Creating
            | Status::AwaitingImages
            | Status::AwaitingEndUser
            | Status::Submitted
            | Status::Verifying => return Some(NextAction::Wait),
        };
        Some(if wanted.is_empty() { NextAction::Submit } else { NextAction::UploadImages(wanted) })
    }

    /// What its provider and process type can do.
    pub fn capability(&self) -> Option<&'static Capability> {
        Capability::find(&self.request.provider, Some(&self.request.process_type))
    }

    /// Whether images come through Proofline.
    pub fn takes_images(&self) -> bool {
        self.request.flow == Flow::Document && self.request.capture_by == CaptureBy::Upload
    }

    /// The images that must still come: those the provider or `submit_when` asks for, and those
    /// whose upload ended without a clear answer.
    pub fn wanted_images(&self, now: OffsetDateTime) -> Vec<Depiction> {
        let present = self.images.present(now);
        let unknown = self.images.unknown(now);
        let Some(capability) = self.capability() else {
            return Vec::new();
        };
        let is_wanted = |d: &Depiction| {
            capability.required().contains(d)
                || self.request.submit_when.contains(d)
                || unknown.contains(d)
        };
        capability.depictions().filter(|d| is_wanted(d) && !present.contains(d)).collect()
    }

    /// Whether it was created under another Assure account than this one.
    pub fn is_elsewhere(&self, assure_account: &str) -> bool {
        !self.assure_account.is_empty() && self.assure_account != assure_account
    }

    /// Whether the deadline is past.
    pub fn is_past_deadline(&self, now: OffsetDateTime) -> bool {
        now >= self.request.expires_at
    }
}
