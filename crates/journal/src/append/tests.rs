//! The same append twice, as after a lost acknowledgement, on one replica and on three: the server
//! tells it in two ways.

use std::time::Duration;

use proofline_broker::{Cluster, Options, Server};
use proofline_events::{Service, VerificationId, v1};
use proofline_settings::{Reader, Source};
use time::macros::datetime;

use super::*;
use crate::{ProvisionSettings, Retention, Settings, provision};

#[tokio::test]
async fn on_one_replica_a_repeat_is_told_from_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { dir: dir.path().to_owned(), ..Options::default() };
    let server = Server::start(options).await.unwrap();

    tells_a_repeat_from_a_conflict(&provisioned(&[server.url()], 1).await).await;
}

#[tokio::test]
async fn on_three_replicas_a_repeat_is_told_from_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(dir.path(), 3).await.unwrap();

    tells_a_repeat_from_a_conflict(&provisioned(&cluster.urls(), 3).await).await;
}

async fn tells_a_repeat_from_a_conflict(connection: &Connection) {
    let key = fresh_key();
    let (event, envelope) = dossier_created(&key, "d1");
    let append = async |envelope: &Envelope, event: &Event, guard| {
        connection.append(&key, event, envelope, Some(guard)).await.unwrap()
    };

    let Appended::Stored(first) = append(&envelope, &event, 0).await else {
        panic!("an empty log conflicts with nothing");
    };
    assert_eq!(append(&envelope, &event, 0).await, Appended::AlreadyStored(first));
    // Another replica's decision on the same fact is the same fact.
    let (other, _) = dossier_created(&key, "d2");
    assert_eq!(append(&envelope, &other, 0).await, Appended::AlreadyStored(first));
    // Another fact is not.
    let another = envelope.clone().with_id(format!("{}.another", key.id));
    assert_eq!(append(&another, &event, 0).await, Appended::Conflict);
    // The own earlier attempt is found although others have come since.
    let Appended::Stored(second) = append(&another, &event, first).await else {
        panic!("nothing came in between");
    };
    assert!(second > first);
    assert_eq!(append(&envelope, &event, 0).await, Appended::AlreadyStored(first));

    an_id_that_stands_elsewhere_is_no_repeat(connection, &key, second).await;
}

/// Anyone may have published this message id before.
async fn an_id_that_stands_elsewhere_is_no_repeat(
    connection: &Connection,
    key: &VerificationKey,
    guard: u64,
) {
    let (event, envelope) = dossier_created(key, "d1");
    let envelope = envelope.with_id(format!("{}.taken", key.id));
    let elsewhere = fresh_key();
    let (other, _) = dossier_created(&elsewhere, "d1");
    connection.append(&elsewhere, &other, &envelope, Some(0)).await.unwrap();

    let appended = connection.append(key, &event, &envelope, Some(guard)).await.unwrap();

    let Appended::Stored(sequence) = appended else { panic!("{appended:?}") };
    let again = connection.append(key, &event, &envelope, Some(guard)).await.unwrap();
    assert_eq!(again, Appended::AlreadyStored(sequence));
}

async fn provisioned(urls: &[String], replicas: usize) -> Connection {
    let mut reader = Reader::new(&Source::from_pairs([("PROOFLINE_NATS_URL", urls.join(","))]));
    let settings = Settings::read(&mut reader);
    let settings = reader.finish(settings).unwrap();
    let connection = Connection::open(&settings, "append-tests").await.unwrap();
    let day = Duration::from_secs(24 * 60 * 60);
    let retention = Retention { events: 90 * day, results: 30 * day };
    provision(&connection, ProvisionSettings { replicas, retention }, &[], false).await.unwrap();
    connection
}

fn fresh_key() -> VerificationKey {
    VerificationKey {
        id: VerificationId::from_bytes(chance::id().into_bytes()),
        ..VerificationKey::parse("acme", "vrf_00000000000000000000").unwrap()
    }
}

fn dossier_created(key: &VerificationKey, dossier_id: &str) -> (Event, Envelope) {
    let event = Event::from(v1::DossierCreated {
        tenant: key.tenant.to_string(),
        verification_id: key.id.to_string(),
        dossier_id: dossier_id.to_owned(),
        assure_account: String::new(),
        earlier_process_ids: Vec::new(),
    });
    let at = datetime!(2026-02-03 08:15:30 UTC);
    let envelope = Envelope::new(event.event_type(), key, Service::Intake, at);
    (event, envelope)
}
