//! A verification as its log tells it.

use proofline_events::{
    Event, Recorded, VerificationId, VerificationKey, Word, from_timestamp,
    v1::{CaptureBy, Depiction, Flow, Outcome, SignalSource},
};
use time::OffsetDateTime;

use crate::{
    Images, Reason, Request,
    provider::{self, Capability},
};

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
    /// In a shared dossier: the processes that were there before, which are not ours.
    pub earlier_process_ids: Vec<String>,
    /// The process in Assure.
    pub process: Option<Process>,
    /// Setting up will not be completed.
    pub setup_failure: Option<SetupFailure>,
    /// What is known of the images.
    pub images: Images,
    /// What was submitted, once submission was requested.
    pub submitted: Option<Submission>,
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
    /// Assure's id; `None` for a capture until its end, as only then it is known which of its
    /// processes counts.
    pub id: Option<String>,
    /// How many pages of the document are wanted; 0 where the provider didn't say.
    pub document_pages: u32,
    /// Names the sealed document with what the end-user needs, if there is one.
    pub next_action_id: Option<String>,
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The images that are verified.
    pub depictions: Vec<Depiction>,
    /// Names the sealed document with the provider's members of Start verification, if there are
    /// some.
    pub parameters_id: Option<String>,
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
    /// Let the end-user act, with what is sealed under [`Process::next_action_id`].
    LetEndUserAct,
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
            state.earlier_process_ids = e.earlier_process_ids.clone();
        }
        Event::ProcessCreated(e) => {
            state.process = Some(Process {
                id: non_empty(&e.process_id),
                document_pages: e.document_pages,
                next_action_id: non_empty(&e.next_action_id),
            });
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
        Event::SubmissionRequested(e) => {
            state.submitted = Some(Submission {
                depictions: e.depictions().collect(),
                parameters_id: non_empty(&e.parameters_id),
            });
        }
        Event::VerificationStarted(_) => state.start = Some(Start::Accepted),
        Event::StartRefused(e) => {
            let reason = Reason::parse(&e.reason_code).unwrap_or(Reason::StartRefused);
            state.start = Some(Start::Refused(reason));
        }
        Event::CancellationRequested(_) => state.is_cancellation_requested = true,
        Event::ProcessFinished(e) => {
            if let Some(process) = &mut state.process
                && process.id.is_none()
            {
                process.id = non_empty(&e.process_id);
            }
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
            same_dossier_as: VerificationId::parse(&e.same_dossier_as).ok(),
            fingerprint: (e.fingerprint.clone(), e.fingerprint_key_id.clone()),
        },
        requested_at,
        updated_at: requested_at,
        dossier_id: None,
        assure_account: String::new(),
        earlier_process_ids: Vec::new(),
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

fn non_empty(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
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
        } else if self.request.flow == Flow::Document
            && self.request.capture_by == CaptureBy::Upload
        {
            Status::AwaitingImages
        } else {
            Status::AwaitingEndUser
        }
    }

    /// What the caller should do next; `None` once there is nothing more to do.
    pub fn next_action(&self, now: OffsetDateTime) -> Option<NextAction> {
        match self.status() {
            Status::Finished | Status::Erased => None,
            Status::AwaitingImages if !self.is_cancellation_requested => {
                let wanted = self.wanted_images(now);
                let is_complete = wanted.is_empty();
                Some(if is_complete {
                    NextAction::Submit
                } else {
                    NextAction::UploadImages(wanted)
                })
            }
            Status::AwaitingEndUser if !self.is_cancellation_requested => {
                Some(NextAction::LetEndUserAct)
            }
            Status::Creating
            | Status::AwaitingImages
            | Status::AwaitingEndUser
            | Status::Submitted
            | Status::Verifying => Some(NextAction::Wait),
        }
    }

    /// What its provider and process type can do.
    pub fn capability(&self) -> Option<&'static Capability> {
        Capability::find(&self.request.provider, &self.request.process_type)
    }

    /// Whether images come through Proofline. With an enrolment they may, also where the SDK has the
    /// lead: it is compared with one.
    pub fn takes_images(&self) -> bool {
        let is_enrolled = || self.starts_with() == provider::Start::WithEnrolment;
        match (self.request.flow, self.request.capture_by) {
            (Flow::Document, CaptureBy::Upload) => true,
            (Flow::Document, CaptureBy::Sdk) => is_enrolled(),
            (Flow::Document, CaptureBy::Page | CaptureBy::Unspecified)
            | (Flow::Capture | Flow::Eid | Flow::Unspecified, _) => false,
        }
    }

    /// Whether it is us who start the verification, when the caller submits.
    pub fn takes_submission(&self) -> bool {
        self.request.flow == Flow::Document && self.request.capture_by != CaptureBy::Page
    }

    /// What Start verification must be given.
    pub fn starts_with(&self) -> provider::Start {
        self.capability().map_or(provider::Start::Plain, |capability| capability.start)
    }

    /// Whether the process stays untouched without a submission.
    pub(crate) fn waits_for_submission(&self) -> bool {
        self.takes_submission() && self.starts_with() != provider::Start::Optional
    }

    /// The images that must still come: those without which nothing can be submitted, and those of
    /// `submit_when`.
    pub fn wanted_images(&self, now: OffsetDateTime) -> Vec<Depiction> {
        let present = self.images.present(now);
        let missing = self.missing_images(now);
        let is_wanted = |d: &Depiction| {
            missing.contains(d) || (self.request.submit_when.contains(d) && !present.contains(d))
        };
        Depiction::ALL.iter().copied().filter(is_wanted).collect()
    }

    /// The images without which nothing can be submitted: those the provider asks for, and those
    /// whose upload ended without a clear answer.
    pub(crate) fn missing_images(&self, now: OffsetDateTime) -> Vec<Depiction> {
        let present = self.images.present(now);
        let unknown = self.images.unknown(now);
        let pages = self.process.as_ref().map_or(0, |process| process.document_pages);
        let is_ours = self.request.capture_by == CaptureBy::Upload;
        let needed = self.capability().filter(|_| is_ours);
        let needed = needed.map_or_else(Vec::new, |c| c.missing(&present, pages));
        let is_missing = |d: &Depiction| needed.contains(d) || unknown.contains(d);
        Depiction::ALL.iter().copied().filter(is_missing).collect()
    }

    /// Whether it was created under another Assure account than this one.
    pub fn is_elsewhere(&self, assure_account: &str) -> bool {
        !self.assure_account.is_empty() && self.assure_account != assure_account
    }

    /// Whether the caller wants nothing to come of it any more.
    pub fn is_discarded(&self) -> bool {
        self.is_cancellation_requested || self.is_erasure_requested
    }

    /// Whether the deadline is past.
    pub fn is_past_deadline(&self, now: OffsetDateTime) -> bool {
        now >= self.request.expires_at
    }
}
