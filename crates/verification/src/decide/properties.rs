//! What holds for every history, whatever order commands come in.

use std::collections::BTreeMap;

use proofline_events::{
    Event, EventType, Recorded, Word,
    v1::{CaptureBy, Depiction, Flow},
};
use proptest::prelude::*;
use time::Duration;

use super::tests::{
    Asked, Log, claim, conclude, dossier, page, process, received, refused, report, request_for,
    status, submit_enrolled_with,
};
use crate::{Command, Observation, Reason, UploadResult, fold};

fn any_depiction() -> impl Strategy<Value = Depiction> {
    proptest::sample::select(Depiction::ALL)
}

fn any_request() -> impl Strategy<Value = Command> {
    let document = |provider, process_type, by| (Flow::Document, provider, process_type, by);
    let asked: [Asked; 6] = [
        document("onfido", "documentSelfie", CaptureBy::Upload),
        document("onfido", "documentVideo", CaptureBy::Sdk),
        document("facetec", "", CaptureBy::Upload),
        document("webid", "videoid", CaptureBy::Page),
        (Flow::Capture, "readid", "ready", CaptureBy::Unspecified),
        (Flow::Eid, "connect:idin", "", CaptureBy::Unspecified),
    ];
    // Most histories are of images, which have the most rules.
    let first = Just(asked[0]);
    prop_oneof![2 => first, 3 => proptest::sample::select(Vec::from(asked))].prop_map(request_for)
}

fn any_observation() -> impl Strategy<Value = Observation> {
    let word = proptest::sample::select(
        &["pending", "processing", "accepted", "rejected", "canceled", "odd"][..],
    );
    prop_oneof![
        6 => word.prop_map(status),
        1 => Just(Observation::Gone),
        1 => Just(Observation::NoProcess),
        1 => Just(Observation::Unanswered),
    ]
}

fn any_result() -> impl Strategy<Value = UploadResult> {
    let code = || "assure-unavailable".to_owned();
    prop_oneof![
        3 => Just(received()),
        1 => Just(UploadResult::NotReceived { code: code() }),
        1 => Just(UploadResult::Unknown { code: code() }),
    ]
}

/// A command, and how long after the one before it comes.
fn any_step() -> impl Strategy<Value = (Command, Duration)> {
    let until = super::tests::T0 + Duration::HOUR;
    let command = prop_oneof![
        2 => any_request(),
        2 => Just(dossier()),
        2 => prop_oneof![Just(process()), Just(page())],
        1 => Just(Command::FailSetup(refused(Reason::SetupFailed))),
        4 => any_depiction().prop_map(move |d| claim(d, until)),
        4 => (any_depiction(), any_result()).prop_map(|(d, r)| report(d, r)),
        3 => any::<bool>().prop_map(|automatic| Command::Submit { automatic, parameters: None }),
        1 => any_depiction().prop_map(submit_enrolled_with),
        1 => Just(Command::RecordStart),
        1 => Just(Command::RefuseStart(refused(Reason::StartRefused))),
        1 => Just(Command::Cancel),
        1 => Just(Command::Erase),
        1 => Just(Command::RecordErasure),
        2 => any_observation().prop_map(conclude),
    ];
    let wait = prop_oneof![20 => 0..60_i64, 1 => 3_600..40_000_i64].prop_map(Duration::seconds);
    (command, wait)
}

fn run(steps: Vec<(Command, Duration)>) -> Log {
    let mut log = Log::new();
    for (command, wait) in steps {
        log.now += wait;
        // A refusal changes nothing; that it is one is what the examples check.
        let before = log.log.len();
        if log.try_do(command).is_err() {
            assert_eq!(log.log.len(), before);
        }
    }
    log
}

fn position(log: &[Recorded], event: EventType) -> Option<usize> {
    log.iter().position(|recorded| recorded.event.event_type() == event)
}

/// What one Direct Get of the family answers: the newest message of each event.
fn newest_of_each(log: &[Recorded]) -> Vec<Recorded> {
    let newest: BTreeMap<EventType, &Recorded> =
        log.iter().map(|recorded| (recorded.event.event_type(), recorded)).collect();
    let mut newest: Vec<Recorded> = newest.into_values().cloned().collect();
    newest.sort_by_key(|recorded| recorded.sequence);
    newest
}

proptest! {
    #[test]
    fn what_happens_once_happens_once(steps in prop::collection::vec(any_step(), 0..60)) {
        let log = run(steps).log;
        for event in EventType::ALL.iter().filter(|event| event.is_once()) {
            let count = log.iter().filter(|recorded| recorded.event.event_type() == *event).count();
            prop_assert!(count <= 1, "{event} stands {count} times");
        }
    }

    #[test]
    fn the_newest_of_each_event_tells_everything(steps in prop::collection::vec(any_step(), 0..60)) {
        let Log { log, state, .. } = run(steps);
        let mut from_newest = fold(&newest_of_each(&log));
        // The time of an older message of a repeated event can't be newer than the newest one's.
        if let (Some(a), Some(b)) = (&mut from_newest, &state) {
            prop_assert_eq!(a.updated_at, b.updated_at);
        }
        prop_assert_eq!(from_newest, state);
    }

    #[test]
    fn no_image_is_claimed_after_submission_and_what_is_submitted_is_there(
        steps in prop::collection::vec(any_step(), 0..80),
    ) {
        let log = run(steps).log;
        if let Some(at) = position(&log, EventType::SubmissionRequested) {
            let later = &log[at..];
            for image in [EventType::UploadStarted, EventType::ImageUploaded] {
                prop_assert_eq!(position(later, image), None);
            }
            let Event::SubmissionRequested(submission) = &log[at].event else { unreachable!() };
            let before = fold(&log[..at]).unwrap();
            prop_assert_eq!(
                submission.depictions().collect::<Vec<_>>(),
                before.images.present(log[at].envelope.time)
            );
        }
    }

    #[test]
    fn an_accepted_end_is_assures_word(steps in prop::collection::vec(any_step(), 0..60)) {
        for recorded in run(steps).log {
            if let Event::ProcessFinished(end) = recorded.event {
                use proofline_events::v1::Outcome::{Accepted, Rejected};
                if matches!(end.outcome(), Accepted | Rejected) {
                    prop_assert_eq!(end.outcome().word(), end.assure_status);
                }
            }
        }
    }

    #[test]
    fn a_look_long_after_the_deadline_ends_every_verification(
        steps in prop::collection::vec(any_step(), 0..40),
        observation in any_observation(),
    ) {
        let mut log = run(steps);
        if let Some(state) = &log.state {
            log.now = log.now.max(state.request.expires_at + Duration::HOUR);
            log.try_do(conclude(observation)).unwrap();
            prop_assert!(log.state.unwrap().end.is_some());
        }
    }
}
