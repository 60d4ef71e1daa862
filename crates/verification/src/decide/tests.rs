//! What each command does in each state, by example.

use proofline_events::{
    Envelope, Event, Recorded, Service, VerificationKey,
    v1::{CaptureBy, Depiction, Flow, Outcome, SignalSource},
};
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::{
    Candidate, Command, ImageReceived, NextAction, Observation, ProcessDetails, Reason, Refusal,
    Refused, Request, Start, StartParameters, Status, UploadResult, Verification, decide, evolve,
};

pub(super) const T0: OffsetDateTime = datetime!(2026-02-03 08:15:30 UTC);

/// A verification and its log; each command happens one second after the one before.
pub(super) struct Log {
    pub(super) key: VerificationKey,
    pub(super) log: Vec<Recorded>,
    pub(super) state: Option<Verification>,
    pub(super) now: OffsetDateTime,
}

impl Log {
    pub(super) fn new() -> Self {
        let key = VerificationKey::parse("acme", "vrf_00000000000000000000").unwrap();
        Self { key, log: Vec::new(), state: None, now: T0 }
    }

    pub(super) fn try_do(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        self.now += Duration::SECOND;
        let events = decide(&self.key, self.state.as_ref(), command, self.now)?;
        for event in &events {
            let envelope = Envelope::new(event.event_type(), &self.key, Service::Intake, self.now);
            let sequence = self.log.len() as u64 + 1;
            let recorded =
                Recorded { sequence, key: self.key.clone(), envelope, event: event.clone() };
            self.state = evolve(self.state.take(), &recorded);
            self.log.push(recorded);
        }
        Ok(events)
    }

    fn after(mut self, command: Command) -> Self {
        self.try_do(command).unwrap();
        self
    }

    fn state(&self) -> &Verification {
        self.state.as_ref().unwrap()
    }

    fn asked_for(asked: Asked) -> Self {
        Self::new().after(request_for(asked)).after(dossier())
    }

    fn with_process() -> Self {
        Self::new().after(request()).after(dossier()).after(process())
    }

    fn submitted() -> Self {
        let log = Self::with_process().uploaded(Depiction::Front).uploaded(Depiction::Selfie);
        log.after(submit())
    }

    fn uploaded(self, depiction: Depiction) -> Self {
        let until = self.now + Duration::MINUTE;
        self.after(claim(depiction, until)).after(report(depiction, received()))
    }

    fn finished(&self) -> (Outcome, Option<Reason>) {
        let end = self.state().end.as_ref().unwrap();
        (end.outcome, end.reason)
    }
}

/// Flow, provider, process type, who takes the pictures.
pub(super) type Asked = (Flow, &'static str, &'static str, CaptureBy);

pub(super) fn request() -> Command {
    request_for((Flow::Document, "onfido", "documentSelfie", CaptureBy::Upload))
}

pub(super) fn request_for((flow, provider, process_type, capture_by): Asked) -> Command {
    Command::Request(Request {
        flow,
        provider: provider.into(),
        process_type: process_type.into(),
        capture_by,
        submit_when: Vec::new(),
        reference: "order-778".into(),
        tags: vec!["web".into()],
        expires_at: T0 + Duration::DAY,
        resumable: true,
        same_dossier_as: None,
        fingerprint: (vec![1, 2, 3], "k1".into()),
    })
}

pub(super) fn dossier() -> Command {
    Command::RecordDossier {
        dossier_id: "d1".into(),
        assure_account: "a1".into(),
        earlier_process_ids: vec!["p0".into()],
    }
}

pub(super) fn process() -> Command {
    Command::RecordProcess(ProcessDetails {
        process_id: Some("p1".into()),
        document_pages: 0,
        next_action_id: Some("n1".into()),
    })
}

/// A capture's page: which process comes of it shows later.
pub(super) fn page() -> Command {
    Command::RecordProcess(ProcessDetails::default())
}

pub(super) fn submit() -> Command {
    Command::Submit { automatic: false, parameters: None }
}

pub(super) fn submit_enrolled_with(depiction: Depiction) -> Command {
    let parameters = StartParameters { id: "s1".into(), enrolled_with: Some(depiction) };
    Command::Submit { automatic: false, parameters: Some(parameters) }
}

fn upload_id(depiction: Depiction) -> String {
    format!("{depiction:?}")
}

pub(super) fn claim(depiction: Depiction, until: OffsetDateTime) -> Command {
    Command::StartUpload { upload_id: upload_id(depiction), depiction, until }
}

pub(super) fn report(depiction: Depiction, result: UploadResult) -> Command {
    Command::FinishUpload { upload_id: upload_id(depiction), depiction, result }
}

pub(super) fn received() -> UploadResult {
    UploadResult::Received(ImageReceived { size_bytes: 10, media_type: "image/jpeg".into() })
}

pub(super) fn conclude(observation: Observation) -> Command {
    Command::Conclude {
        observation,
        process_id: Some("p2".into()),
        signal: Some(SignalSource::Callback),
        result_url: "http://127.0.0.1:8080/v1/verifications/x/result".into(),
    }
}

pub(super) fn status(status: &str) -> Observation {
    Observation::Status(status.into())
}

pub(super) fn refused(reason: Reason) -> Refused {
    Refused { reason, http_status: Some(400), assure_trace_id: None }
}

#[test]
fn a_verification_goes_from_images_to_its_end() {
    let mut log = Log::with_process();
    assert_eq!(log.state().status(), Status::AwaitingImages);
    log = log.uploaded(Depiction::Front).uploaded(Depiction::Selfie);
    log = log.after(submit());
    assert_eq!(log.state().status(), Status::Submitted);
    log = log.after(Command::RecordStart);
    assert_eq!(log.state().status(), Status::Verifying);
    log = log.after(conclude(status("accepted")));
    assert_eq!(log.state().status(), Status::Finished);
    assert_eq!(log.finished(), (Outcome::Accepted, None));
}

#[test]
fn only_the_two_open_statuses_are_no_end() {
    for open in ["pending", "processing", "Processing"] {
        assert!(Log::submitted().after(conclude(status(open))).state().end.is_none(), "{open}");
    }
    for (word, outcome, reason) in [
        ("accepted", Outcome::Accepted, None),
        ("rejected", Outcome::Rejected, None),
        ("inconclusive", Outcome::Inconclusive, None),
        ("canceled", Outcome::Canceled, Some(Reason::CanceledByEndUser)),
        ("failed", Outcome::Failed, Some(Reason::ProviderFailed)),
        ("not_matched", Outcome::Inconclusive, Some(Reason::UnknownStatus)),
    ] {
        let log = Log::submitted().after(conclude(status(word)));
        assert_eq!(log.finished(), (outcome, reason), "{word}");
        assert_eq!(log.state().end.as_ref().unwrap().assure_status, word);
    }
}

#[test]
fn the_first_end_stays() {
    let mut log = Log::submitted().after(conclude(status("rejected")));
    assert_eq!(log.try_do(conclude(status("accepted"))), Ok(Vec::new()));
    assert_eq!(log.finished(), (Outcome::Rejected, None));
}

#[test]
fn submission_waits_for_open_uploads_and_needs_clear_ones() {
    let mut log = Log::with_process().uploaded(Depiction::Front);
    assert_eq!(log.try_do(submit()), Err(Refusal::ImagesMissing(vec![Depiction::Selfie])));
    let until = log.now + Duration::seconds(3);
    log.try_do(claim(Depiction::Selfie, until)).unwrap();
    assert_eq!(log.try_do(submit()), Err(Refusal::UploadInProgress(Depiction::Selfie)));
    // The claim ran out without a report: nobody knows what Assure has.
    log.now = until;
    assert_eq!(log.try_do(submit()), Err(Refusal::ImagesMissing(vec![Depiction::Selfie])));
    log.try_do(report(Depiction::Selfie, received())).unwrap();
    assert!(log.try_do(submit()).is_ok());
}

#[test]
fn an_upload_that_failed_leaves_the_earlier_image_and_one_of_unknown_end_does_not() {
    let code = || "unsupported-image".to_owned();
    for (result, is_present) in [
        (UploadResult::NotReceived { code: code() }, true),
        (UploadResult::Unknown { code: code() }, false),
    ] {
        let mut log = Log::with_process().uploaded(Depiction::Front);
        let until = log.now + Duration::MINUTE;
        log.try_do(claim(Depiction::Front, until)).unwrap();
        log.try_do(report(Depiction::Front, result)).unwrap();
        assert_eq!(log.state().images.present(log.now).contains(&Depiction::Front), is_present);
    }
}

#[test]
fn an_upload_keeps_its_own_claim_and_no_other_gets_it_meanwhile() {
    let mut log = Log::with_process();
    let until = log.now + Duration::seconds(30);
    log.try_do(claim(Depiction::Front, until)).unwrap();
    let other =
        Command::StartUpload { upload_id: "other".into(), depiction: Depiction::Front, until };
    assert_eq!(log.try_do(other.clone()), Err(Refusal::UploadInProgress(Depiction::Front)));
    log.now = until - Duration::seconds(2);
    let keep = |id: String, until| Command::KeepClaim {
        upload_id: id,
        depiction: Depiction::Front,
        until,
    };
    let later = until + Duration::MINUTE;
    log.try_do(keep(upload_id(Depiction::Front), later)).unwrap();
    assert_eq!(log.try_do(keep("other".into(), later)), Err(Refusal::ClaimLost));
    log.now = until;
    assert_eq!(log.try_do(other.clone()), Err(Refusal::UploadInProgress(Depiction::Front)));
    // It ran out, and another has taken it and reported: there is nothing to keep.
    log.now = later;
    log.try_do(other).unwrap();
    let result = UploadResult::NotReceived { code: "x".into() };
    let report =
        Command::FinishUpload { upload_id: "other".into(), depiction: Depiction::Front, result };
    log.try_do(report).unwrap();
    let lost = log.try_do(keep(upload_id(Depiction::Front), later + Duration::MINUTE));
    assert_eq!(lost, Err(Refusal::ClaimLost));
}

#[test]
fn nothing_is_uploaded_once_submitted() {
    let mut log = Log::submitted();
    let until = log.now + Duration::MINUTE;
    assert_eq!(log.try_do(claim(Depiction::Front, until)), Err(Refusal::AlreadySubmitted));
}

#[test]
fn repeats_of_what_has_been_done_change_nothing() {
    let mut log = Log::submitted().after(Command::RecordStart);
    let before = log.log.len();
    for repeat in [request(), dossier(), process(), submit(), Command::RecordStart] {
        assert_eq!(log.try_do(repeat.clone()), Ok(Vec::new()), "{repeat:?}");
    }
    assert_eq!(log.log.len(), before);
}

#[test]
fn a_cancellation_yields_to_a_final_status_only() {
    let canceled = (Outcome::Canceled, Some(Reason::CanceledByCaller));
    for (observation, expected) in [
        (status("accepted"), (Outcome::Accepted, None)),
        (status("processing"), canceled),
        (Observation::Gone, canceled),
        (Observation::NoProcess, canceled),
    ] {
        let log = Log::submitted().after(Command::Cancel).after(conclude(observation));
        assert_eq!(log.finished(), expected);
    }
}

#[test]
fn a_cancellation_is_repeated_only_while_it_is_what_ended_or_will_end_it() {
    let mut log = Log::submitted().after(Command::Cancel);
    assert_eq!(log.try_do(Command::Cancel), Ok(Vec::new()));
    log = log.after(conclude(status("processing")));
    assert_eq!(log.try_do(Command::Cancel), Ok(Vec::new()));
    let mut log = Log::submitted().after(Command::Cancel).after(conclude(status("accepted")));
    assert_eq!(log.try_do(Command::Cancel), Err(Refusal::AlreadyFinished));
}

#[test]
fn what_could_not_be_set_up_or_started_has_failed() {
    let log = Log::new().after(request()).after(Command::FailSetup(refused(Reason::SetupRefused)));
    let log = log.after(conclude(Observation::NoProcess));
    assert_eq!(log.finished(), (Outcome::Failed, Some(Reason::SetupRefused)));

    let log = Log::submitted().after(Command::RefuseStart(refused(Reason::StartRefused)));
    assert_eq!(log.state().start, Some(Start::Refused(Reason::StartRefused)));
    let log = log.after(conclude(status("pending")));
    assert_eq!(log.finished(), (Outcome::Failed, Some(Reason::StartRefused)));

    let log = Log::submitted().after(conclude(Observation::Gone));
    assert_eq!(log.finished(), (Outcome::Failed, Some(Reason::ProcessGone)));
}

#[test]
fn the_deadline_ends_what_has_no_final_status() {
    let at_deadline = |mut log: Log, observation| {
        log.now = T0 + Duration::DAY;
        log.after(conclude(observation))
    };
    let expired = |reason| (Outcome::Expired, Some(reason));
    let log = at_deadline(Log::with_process(), status("pending"));
    assert_eq!(log.finished(), expired(Reason::NeverSubmitted));
    assert_eq!(log.state().end.as_ref().unwrap().signal_source, SignalSource::Deadline);
    assert_eq!(
        at_deadline(Log::submitted(), status("processing")).finished(),
        expired(Reason::NoResult)
    );
    assert_eq!(
        at_deadline(Log::submitted(), status("accepted")).finished(),
        (Outcome::Accepted, None)
    );
    let log = at_deadline(Log::new().after(request()), Observation::NoProcess);
    assert_eq!(log.finished(), expired(Reason::SetupFailed));
}

#[test]
fn an_assure_that_cannot_be_asked_is_asked_for_an_hour_past_the_deadline() {
    let mut log = Log::submitted();
    log.now = T0 + Duration::DAY;
    log = log.after(conclude(Observation::Unanswered));
    assert!(log.state().end.is_none());
    log.now = T0 + Duration::DAY + Duration::HOUR;
    log = log.after(conclude(Observation::Unanswered));
    assert_eq!(log.finished(), (Outcome::Expired, Some(Reason::NoResult)));
}

#[test]
fn a_verification_that_nobody_requested_is_not_there() {
    assert_eq!(Log::new().try_do(Command::Cancel), Err(Refusal::NotFound));
}

#[test]
fn an_erasure_discards_what_is_unfinished_and_leaves_an_end_as_it_is() {
    let log = Log::submitted().after(Command::Erase).after(conclude(status("processing")));
    assert_eq!(log.finished(), (Outcome::Canceled, Some(Reason::CanceledByCaller)));
    let log = Log::submitted().after(conclude(status("accepted"))).after(Command::Erase);
    assert_eq!(log.finished(), (Outcome::Accepted, None));
    assert_eq!(log.state().status(), Status::Erased);
}

#[test]
fn an_sdk_needs_no_images_and_is_submitted() {
    let asked = (Flow::Document, "signicatvideoid", "high", CaptureBy::Sdk);
    let mut log = Log::asked_for(asked).after(process());
    assert_eq!(log.state().status(), Status::AwaitingEndUser);
    assert_eq!(log.state().next_action(log.now), Some(NextAction::LetEndUserAct));
    let claimed = log.try_do(claim(Depiction::Front, T0 + Duration::HOUR));
    assert_eq!(claimed, Err(Refusal::DepictionNotAccepted));
    log = log.after(submit()).after(Command::RecordStart);
    assert_eq!(log.state().status(), Status::Verifying);
}

#[test]
fn a_document_of_two_pages_needs_both() {
    let asked = (Flow::Document, "signicatpictureid", "document", CaptureBy::Upload);
    let details =
        ProcessDetails { process_id: Some("p1".into()), document_pages: 2, next_action_id: None };
    let mut log = Log::asked_for(asked).after(Command::RecordProcess(details));
    log = log.uploaded(Depiction::Front);
    assert_eq!(log.try_do(submit()), Err(Refusal::ImagesMissing(vec![Depiction::Back])));
    assert!(log.uploaded(Depiction::Back).try_do(submit()).is_ok());
}

#[test]
fn an_enrolment_is_compared_with_an_image_that_is_there() {
    let facetec =
        |capture_by| Log::asked_for((Flow::Document, "facetec", "", capture_by)).after(process());
    let mut log = facetec(CaptureBy::Upload);
    let either = vec![Depiction::Front, Depiction::Selfie];
    assert_eq!(log.try_do(submit()), Err(Refusal::ImagesMissing(either)));
    log = log.uploaded(Depiction::Selfie);
    assert_eq!(log.try_do(submit()), Err(Refusal::EnrolmentMissing));
    let other = log.try_do(submit_enrolled_with(Depiction::Front));
    assert_eq!(other, Err(Refusal::ImagesMissing(vec![Depiction::Front])));
    log = log.after(submit_enrolled_with(Depiction::Selfie));
    let submission = log.state().submitted.clone().unwrap();
    assert_eq!(submission.parameters_id.as_deref(), Some("s1"));
    // Where the SDK has the lead, the image may be in the dossier already.
    assert!(facetec(CaptureBy::Sdk).try_do(submit_enrolled_with(Depiction::Selfie)).is_ok());
    facetec(CaptureBy::Sdk).uploaded(Depiction::Front);
}

#[test]
fn a_page_a_capture_and_an_eid_have_nothing_to_submit() {
    for asked in [
        (Flow::Document, "webid", "videoid", CaptureBy::Page),
        (Flow::Capture, "onfido", "document", CaptureBy::Unspecified),
        (Flow::Eid, "connect:idin", "", CaptureBy::Unspecified),
    ] {
        let mut log = Log::asked_for(asked).after(process());
        assert_eq!(log.state().status(), Status::AwaitingEndUser);
        assert_eq!(log.try_do(submit()), Err(Refusal::NothingToSubmit));
        log = log.after(conclude(status("accepted")));
        assert_eq!(log.finished(), (Outcome::Accepted, None));
    }
}

#[test]
fn the_process_of_a_capture_is_known_from_its_end_on() {
    let asked = (Flow::Capture, "onfido", "document", CaptureBy::Unspecified);
    let mut log = Log::asked_for(asked).after(page());
    assert_eq!(log.state().process.as_ref().unwrap().id, None);
    log = log.after(conclude(status("rejected")));
    assert_eq!(log.state().process.as_ref().unwrap().id.as_deref(), Some("p2"));
    let mut never_there = Log::asked_for(asked).after(page());
    never_there.now = T0 + Duration::DAY;
    let past = never_there.after(conclude(Observation::NoProcess));
    assert_eq!(past.finished(), (Outcome::Expired, Some(Reason::NeverSubmitted)));
}

#[test]
fn processes_of_others_in_a_shared_dossier_are_not_ours() {
    let asked = (Flow::Capture, "signicatpaper", "", CaptureBy::Unspecified);
    let log = Log::asked_for(asked).after(page());
    let candidate = |id: &str, provider: &str| Candidate {
        id: id.into(),
        provider: provider.into(),
        process_type: String::new(),
        status: "accepted".into(),
        created_at: String::new(),
    };
    let all = vec![candidate("p0", "paper"), candidate("p1", "onfido"), candidate("p2", "paper")];
    let own = log.state().own_processes(all);
    assert_eq!(own.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["p2"]);
}

#[test]
fn a_weaker_check_than_the_one_asked_for_is_not_ours() {
    let own = |(provider, asked): (&'static str, &'static str), told: &str| {
        let asked = (Flow::Capture, provider, asked, CaptureBy::Unspecified);
        let candidate = Candidate {
            id: "p1".into(),
            provider: provider.into(),
            process_type: told.into(),
            status: "accepted".into(),
            created_at: String::new(),
        };
        Log::asked_for(asked).after(page()).state().own_processes(vec![candidate]).len() == 1
    };
    assert!(own(("onfido", "documentSelfie"), "documentSelfie"));
    assert!(!own(("onfido", "documentSelfie"), "document"));
    assert!(own(("onfido", "documentSelfie"), ""));
    assert!(own(("onfido", "documentSelfie"), "documentHologram"));
    assert!(own(("signicatvideoid", "substantialFullyAuto"), "substantial"));
    assert!(!own(("signicatvideoid", "high"), "substantial"));
    assert!(own(("signicatpaper", ""), ""));
}

#[test]
fn a_creation_whose_answer_was_lost_ends_if_nobody_can_come_back_to_it() {
    let fail = || Command::FailSetup(refused(Reason::SetupFailed));
    // With a key, a repeat is answered what there is.
    assert_eq!(Log::with_process().try_do(fail()), Ok(Vec::new()));
    let Command::Request(mut request) = request() else { unreachable!() };
    request.resumable = false;
    let without_key = || {
        let requested = Log::new().after(Command::Request(request.clone()));
        requested.after(dossier()).after(process())
    };
    let log = without_key().after(fail()).after(conclude(Observation::NoProcess));
    assert_eq!(log.finished(), (Outcome::Failed, Some(Reason::SetupFailed)));
    // Somebody has its id after all.
    let mut used = without_key().uploaded(Depiction::Front);
    assert_eq!(used.try_do(fail()), Ok(Vec::new()));
}
