//! What holds for consumers of events alone.

use async_nats::HeaderMap;
use proofline_events::{Envelope, Event, EventType, Service, VerificationKey, header, v1};
use proofline_journal::worker::{Failure, Rejection};

use super::bench::{Bench, Events, Kind, done};
use crate::harness::fresh_key;

const SUBJECT: EventType = EventType::CompletionSignalled;

#[tokio::test]
async fn a_message_that_is_not_what_its_subject_says_is_put_aside_unseen() {
    let bench = Bench::<Events>::new().await;
    let (key, good, other) = (fresh_key(), fresh_key(), fresh_key());
    let whole = headers(&key);
    let mut of_another_type = whole.clone();
    of_another_type.insert(header::TYPE, EventType::ProcessFinished.ce_type());
    let mut of_another_verification = whole.clone();
    of_another_verification.insert(header::SUBJECT, other.id.as_str());
    let bad = [
        (whole.clone(), b"\xff\xff\xff".to_vec()),
        (whole.clone(), payload(&other)),
        (of_another_type, payload(&key)),
        (of_another_verification, payload(&key)),
        (HeaderMap::new(), payload(&key)),
    ];
    let _worker = bench.work(2, done).await;

    for (headers, payload) in &bad {
        publish(&bench, SUBJECT.subject(&key), headers.clone(), payload.clone()).await;
    }
    bench.send(&good).await;

    bench.sees(&good, 1).await;
    let letters = bench.dead_letters(bad.len() as u64).await;
    bench.settles().await;
    assert!(bench.seen(&key).is_empty());
    for (headers, payload) in &bad {
        let letter = letters.iter().find(|letter| {
            letter.payload == payload.as_slice()
                && ce_headers(&letter.headers) == ce_headers(headers)
        });
        let letter = letter.expect("the original is kept as it was");
        let header = |name: &str| letter.headers.get(name).unwrap().as_str();
        assert_eq!(header("proofline-dead-reason"), "unreadable");
        assert_eq!(header("proofline-dead-attempts"), "1");
        assert_eq!(header("proofline-dead-subject"), SUBJECT.subject(&key));
    }
}

#[tokio::test]
async fn an_event_with_a_member_of_a_later_version_is_handled() {
    let bench = Bench::<Events>::new().await;
    let key = fresh_key();
    let mut newer = payload(&key);
    // Field 999, a text.
    newer.extend([0xba, 0x3e, 3, b'n', b'e', b'w']);
    let _worker = bench.work(1, done).await;

    publish(&bench, SUBJECT.subject(&key), headers(&key), newer).await;

    bench.sees(&key, 1).await;
    bench.settles().await;
}

#[tokio::test]
async fn a_replay_comes_to_the_consumer_it_names_and_to_no_other() {
    let bench = Bench::<Events>::new().await;
    let (ours, theirs, ordinary) = (fresh_key(), fresh_key(), fresh_key());
    let _worker = bench.work(1, done).await;

    replay(&bench, "verifier-submissions", &theirs).await;
    replay(&bench, Events::CONSUMER.name(), &ours).await;
    bench.send(&ordinary).await;

    bench.sees(&ordinary, 1).await;
    assert_eq!(bench.sees(&ours, 1).await[0].deliveries, 1);
    bench.settles().await;
    assert!(bench.seen(&theirs).is_empty());
}

#[tokio::test]
async fn a_replay_of_what_is_unreadable_is_put_aside_again() {
    let bench = Bench::<Events>::new().await;
    let (key, consumer) = (fresh_key(), Events::CONSUMER.name());
    let subject = format!("proofline.replay.v1.{consumer}.{key}");
    let _worker = bench.work(1, done).await;

    publish(&bench, subject.clone(), HeaderMap::new(), payload(&key)).await;

    let letter = bench.dead_letters(1).await.remove(0);
    assert_eq!(letter.subject.as_str(), format!("proofline.dead.v1.{consumer}.{key}"));
    assert_eq!(letter.headers.get("proofline-dead-subject").unwrap().as_str(), subject);
}

#[tokio::test]
async fn a_rejected_event_keeps_its_payload_and_envelope() {
    let bench = Bench::<Events>::new().await;
    let key = fresh_key();
    let rejection = Rejection { code: "no-such-thing", detail: "there is none".to_owned() };
    let reject = move |_| std::future::ready(Err(Failure::Reject(rejection.clone())));
    let _worker = bench.work(1, reject).await;

    publish(&bench, SUBJECT.subject(&key), headers(&key), payload(&key)).await;

    let letter = bench.dead_letters(1).await.remove(0);
    assert_eq!(letter.payload, payload(&key));
    assert_eq!(ce_headers(&letter.headers), ce_headers(&headers(&key)));
}

async fn replay(bench: &Bench<Events>, consumer: &str, key: &VerificationKey) {
    let mut headers = headers(key);
    headers.insert("proofline-replay", "1");
    let subject = format!("proofline.replay.v1.{consumer}.{key}");
    publish(bench, subject, headers, payload(key)).await;
}

async fn publish(bench: &Bench<Events>, subject: String, headers: HeaderMap, payload: Vec<u8>) {
    let raw = bench.raw().await;
    let sent = raw.publish_with_headers(subject, headers, payload.into()).await;
    sent.unwrap().await.unwrap();
}

fn headers(key: &VerificationKey) -> HeaderMap {
    let at = time::macros::datetime!(2026-02-03 08:15:30 UTC);
    let envelope = Envelope::new(SUBJECT, key, Service::CallbackReceiver, at);
    let mut headers = HeaderMap::new();
    for (name, value) in envelope.headers(SUBJECT, key) {
        headers.insert(name, value);
    }
    headers
}

fn payload(key: &VerificationKey) -> Vec<u8> {
    let (tenant, verification_id) = (key.tenant.to_string(), key.id.to_string());
    Event::from(v1::CompletionSignalled { tenant, verification_id, ..Default::default() }).encode()
}

fn ce_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let ours = headers.iter().filter(|(name, _)| AsRef::<str>::as_ref(name).starts_with("ce-"));
    let mut all: Vec<_> =
        ours.map(|(name, values)| (name.to_string(), values[0].to_string())).collect();
    all.sort();
    all
}
