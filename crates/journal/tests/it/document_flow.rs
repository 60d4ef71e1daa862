//! One verification from its request to its end, through the journals of the services.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use proofline_events::{
    EventType, Recorded, Service, VerificationKey,
    v1::{Depiction, Outcome},
};
use proofline_journal::{ExecuteError, Journal};
use proofline_verification::{Command, ImageReceived, Refusal, Status, UploadResult};
use time::format_description::well_known::Rfc3339;

use crate::harness::{
    Broker, callback, conclude, dossier, fresh_key, last_on, now, process, request,
};

#[tokio::test]
async fn a_document_flow_is_one_log_in_order_and_repeating_any_step_appends_nothing() {
    let broker = Broker::provisioned().await;
    let key = fresh_key();
    let intake = broker.journal(Service::Intake).await;
    let upload = broker.journal(Service::Upload).await;
    let verifier = broker.journal(Service::Verifier).await;
    let normaliser = broker.journal(Service::ResultNormaliser).await;

    for command in [request(), dossier(), process()] {
        once(&intake, &key, command).await;
    }
    for depiction in [Depiction::Front, Depiction::Selfie] {
        carry(&upload, &key, depiction, 1).await;
    }
    once(&intake, &key, Command::Submit { automatic: false, parameters: None }).await;
    once(&verifier, &key, Command::RecordStart).await;
    broker.sink().await.append(&key, callback("a"), now()).await.unwrap();
    once(&normaliser, &key, conclude("accepted")).await;
    // The first end stays for ever.
    assert!(execute(&normaliser, &key, conclude("rejected")).await.is_empty());

    let log = normaliser.timeline(&key, 0).await.unwrap();
    let told: Vec<_> =
        log.iter().map(|e| (e.event.event_type().name(), e.envelope.source.as_str())).collect();
    let expected = [
        ("verification-requested", "/proofline/intake"),
        ("dossier-created", "/proofline/intake"),
        ("process-created", "/proofline/intake"),
        ("upload-started", "/proofline/upload"),
        ("image-uploaded", "/proofline/upload"),
        ("upload-started", "/proofline/upload"),
        ("image-uploaded", "/proofline/upload"),
        ("submission-requested", "/proofline/intake"),
        ("verification-started", "/proofline/verifier"),
        ("completion-signalled", "/proofline/callback-receiver"),
        ("process-finished", "/proofline/result-normaliser"),
    ];
    assert_eq!(told, expected);
    assert!(log.is_sorted_by_key(|event| event.sequence));
    let read = normaliser.read(&key).await.unwrap().verification.unwrap();
    assert_eq!(read.status(), Status::Finished);
    assert_eq!(read.end.unwrap().outcome, Outcome::Accepted);
    for (event, is_there) in
        [(EventType::ProcessFinished, true), (EventType::CancellationRequested, false)]
    {
        assert_eq!(normaliser.is_recorded(&key, event).await.unwrap(), is_there);
    }
}

#[tokio::test]
async fn an_event_has_the_headers_of_the_contract_and_no_others() {
    let broker = Broker::provisioned().await;
    let key = fresh_key();
    let at = now();
    let journal = broker.journal(Service::Intake).await;

    journal.execute(&key, request(), at).await.unwrap();
    journal.execute(&key, dossier(), at).await.unwrap();

    let subject = format!("proofline.v1.dossier-created.{}.{}", key.tenant, key.id);
    let message = last_on(&broker.raw().await, "VERIFICATIONS", &subject).await;
    let id = format!("{}.dossier-created", key.id);
    let contract = [
        ("ce-datacontenttype", "application/protobuf".to_owned()),
        ("ce-id", id.clone()),
        ("ce-source", "/proofline/intake".to_owned()),
        ("ce-specversion", "1.0".to_owned()),
        ("ce-subject", key.id.to_string()),
        ("ce-time", at.format(&Rfc3339).unwrap()),
        ("ce-type", "proofline.v1.dossier-created".to_owned()),
        ("Nats-Msg-Id", id),
        // What the guard is made of: the first event stands at 1.
        ("Nats-Expected-Last-Subject-Sequence", "1".to_owned()),
        ("Nats-Expected-Last-Subject-Sequence-Subject", format!("proofline.v1.*.{key}")),
        ("Nats-Expected-Stream", "VERIFICATIONS".to_owned()),
    ];
    let contract: BTreeMap<_, _> =
        contract.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(all(&message.headers), contract);
}

#[tokio::test]
async fn a_refused_command_appends_nothing() {
    let broker = Broker::provisioned().await;
    let key = fresh_key();
    let journal = broker.journal(Service::Intake).await;

    let unknown = journal.execute(&key, dossier(), now()).await.unwrap_err();
    assert!(matches!(unknown, ExecuteError::Refused(Refusal::NotFound)), "{unknown}");
    journal.execute(&key, request(), now()).await.unwrap();
    let early = Command::Submit { automatic: false, parameters: None };
    let early = journal.execute(&key, early, now()).await.unwrap_err();
    assert!(matches!(early, ExecuteError::Refused(Refusal::StillCreating)), "{early}");

    assert_eq!(journal.timeline(&key, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_long_timeline_comes_whole_and_in_order_from_any_place_on() {
    let broker = Broker::provisioned().await;
    let (key, other) = (fresh_key(), fresh_key());
    let journal = broker.journal(Service::Upload).await;
    let sink = broker.sink().await;
    for command in [request(), dossier(), process()] {
        journal.execute(&key, command, now()).await.unwrap();
    }
    for round in 0..70 {
        carry(&journal, &key, Depiction::Front, round).await;
        // Another verification's events lie in between.
        sink.append(&other, callback(round), now()).await.unwrap();
        sink.append(&key, callback(round), now()).await.unwrap();
    }

    let whole = journal.timeline(&key, 0).await.unwrap();

    assert_eq!(whole.len(), 3 + 70 * 3);
    assert!(whole.is_sorted_by(|a, b| a.sequence < b.sequence));
    assert!(whole.iter().all(|event| event.key == key));
    let last_seen = whole[149].sequence;
    assert_eq!(journal.timeline(&key, last_seen + 1).await.unwrap(), whole[150..]);
    let end = whole.last().unwrap().sequence;
    assert!(journal.timeline(&key, end + 1).await.unwrap().is_empty());
    assert!(journal.timeline(&fresh_key(), 0).await.unwrap().is_empty());
}

/// Executes it twice; the first appends one event, which is also what stands in the log.
async fn once(journal: &Journal, key: &VerificationKey, command: Command) {
    let appended = execute(journal, key, command.clone()).await;
    assert_eq!(appended.len(), 1, "{command:?}");
    let log = journal.timeline(key, appended[0].sequence).await.unwrap();
    assert_eq!(log, appended);
    assert!(execute(journal, key, command).await.is_empty());
}

async fn carry(journal: &Journal, key: &VerificationKey, depiction: Depiction, round: usize) {
    let upload_id = format!("{depiction:?}-{round}");
    let until = now() + time::Duration::MINUTE;
    let claim = Command::StartUpload { upload_id: upload_id.clone(), depiction, until };
    assert_eq!(execute(journal, key, claim).await.len(), 1);
    let received = ImageReceived { size_bytes: 10, media_type: "image/jpeg".into() };
    let result = UploadResult::Received(received);
    let report = Command::FinishUpload { upload_id, depiction, result };
    assert_eq!(execute(journal, key, report).await.len(), 1);
}

async fn execute(journal: &Journal, key: &VerificationKey, command: Command) -> Vec<Recorded> {
    journal.execute(key, command, now()).await.unwrap().appended
}

fn all(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers.iter().map(|(name, values)| (name.to_string(), values[0].to_string())).collect()
}
