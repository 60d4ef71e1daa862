//! Backups: what they hold, what a restore brings back, and what it must not bring back.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, PullConsumer, pull},
};
use bytes::Bytes;
use futures_util::future::join_all;
use proofline_broker::{Options, Server};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{
        Ask, Build, Bus, Scene, Typed, Verification, ends_in, ends_of, everything_in, files_with,
        type_with,
    },
    resilience::harness::{Fleet, Journey, Member, Plan, SIMULATOR, VERIFIER, soon},
};

/// Services that look soon for what should have heard of its end.
async fn fleet() -> Fleet {
    let plan = Plan::new().with(VERIFIER, "PROOFLINE_CALLBACK_GRACE", "1s");
    plan.with(VERIFIER, "PROOFLINE_RECONCILE_INTERVAL", "1s").start().await
}

/// `proofline …` at the fleet's server.
async fn types(fleet: &Fleet, arguments: &[&str]) -> Typed {
    let url = fleet.broker.lock().await.url();
    type_with(&[("PROOFLINE_NATS_URL", url)], arguments).await
}

async fn backs_up(fleet: &Fleet, name: &str, more: &[&str]) -> PathBuf {
    let folder = fleet.folder().join(name);
    let to = folder.to_str().unwrap();
    let said = types(fleet, &[&["backup", "--to", to], more].concat()).await.worked();
    assert!(said.contains("is complete"), "{said}");
    folder
}

async fn restores(fleet: &Fleet, from: &Path, more: &[&str]) -> Typed {
    types(fleet, &[&["restore", "--from", from.to_str().unwrap()], more].concat()).await
}

/// The server starts again at its address, with nothing in it.
async fn all_is_lost(fleet: &Fleet) {
    let mut broker = fleet.broker.lock().await;
    broker.stop().await;
    fs::remove_dir_all(fleet.broker_folder().join("store")).unwrap();
    broker.restart().await;
}

async fn a_verification(fleet: &Fleet, key: &str, members: Value) -> (Journey, Verification) {
    let journey = Journey::new(fleet.caller(), key, members);
    let v = journey.begins().await;
    (journey, v)
}

async fn a_finished_one(fleet: &Fleet, key: &str) -> Verification {
    Journey::new(fleet.caller(), key, json!({})).goes().await.0
}

async fn result_of(fleet: &Fleet, v: &Verification) -> crate::harness::Answer {
    fleet.caller().get(&format!("/v1/verifications/{}/result", v.id)).ask().await
}

async fn is_erased(fleet: &Fleet, v: &Verification) {
    let path = format!("/v1/verifications/{}/events", v.id);
    soon("it is erased", async || {
        let events = fleet.caller().get(&path).ask().await.body;
        let events = events["events"].as_array().cloned().unwrap_or_default();
        let is_told = events.iter().any(|event| event["type"] == "proofline.v1.data-erased");
        if is_told { Ok(()) } else { Err(format!("{events:?}")) }
    })
    .await;
}

async fn erases(fleet: &Fleet, v: &Verification) {
    let path = format!("/v1/verifications/{}", v.id);
    fleet.caller().api(Method::DELETE, &path).ask().await.is(202);
    is_erased(fleet, v).await;
}

/// Something sealed that takes many pieces: as sealed things are, it can't be compressed.
async fn a_large_document(fleet: &Fleet, v: &Verification) -> Vec<u8> {
    let mut bytes = vec![0; 3 << 20];
    getrandom::fill(&mut bytes).unwrap();
    let subject = format!("$KV.SEALED.acme.{}.result-rejected", v.id);
    let jetstream = jetstream::new(fleet.nats.clone());
    jetstream.publish(subject, bytes.clone().into()).await.unwrap().await.unwrap();
    bytes
}

async fn data_key_of(fleet: &Fleet, v: &Verification) -> Bytes {
    let stream = jetstream::new(fleet.nats.clone()).get_stream("KV_DATA_KEYS").await.unwrap();
    let subject = format!("$KV.DATA_KEYS.acme.{}", v.id);
    stream.get_last_raw_message_by_subject(&subject).await.unwrap().payload
}

/// A subscriber that is up to date, and whose consumer is made as provision makes it.
async fn a_subscriber(fleet: &Fleet) -> PullConsumer {
    let config = pull::Config {
        durable_name: Some("acme-audit".to_owned()),
        filter_subject: "proofline.v1.process-finished.acme.*".to_owned(),
        ack_policy: AckPolicy::Explicit,
        ..Default::default()
    };
    let jetstream = jetstream::new(fleet.nats.clone());
    jetstream.create_consumer_on_stream(config, "VERIFICATIONS").await.unwrap()
}

async fn hears(subscriber: &PullConsumer) -> BTreeSet<String> {
    ends_of(subscriber).await.into_iter().map(|end| end.event.verification_id).collect()
}

fn ids<const N: usize>(all: [&Verification; N]) -> BTreeSet<String> {
    all.into_iter().map(|v| v.id.clone()).collect()
}

#[tokio::test]
async fn after_an_older_copy_is_restored_all_it_knows_ends_by_itself_and_what_was_erased_stays_so()
{
    let fleet = fleet().await;
    let subscriber = a_subscriber(&fleet).await;
    let (done, gone) = (a_finished_one(&fleet, "done").await, a_finished_one(&fleet, "gone").await);
    let never = json!({ "tags": ["simulate:never-finishes"] });
    let (journey, open) = a_verification(&fleet, "open", never).await;
    journey.is_submitted(&open).await;
    let (_, waiting) = a_verification(&fleet, "waiting", json!({ "expires_in_seconds": 12 })).await;
    assert_eq!(hears(&subscriber).await, ids([&done, &gone]));
    let before = result_of(&fleet, &done).await.is(200);
    let large = a_large_document(&fleet, &done).await;
    let older = backs_up(&fleet, "older", &["--with-keys"]).await;
    let key = data_key_of(&fleet, &gone).await;
    // The rest is in no copy, but for the list of what was erased.
    erases(&fleet, &gone).await;
    fleet.simulator.finishes(&open, "accepted").await;
    journey.ends(&open).await;
    let later = a_finished_one(&fleet, "later").await;
    let newer = backs_up(&fleet, "newer", &[]).await.join("erasures.jsonl");

    all_is_lost(&fleet).await;
    let refused = restores(&fleet, &older, &[]).await.failed();
    let said = restores(&fleet, &older, &["--erasures", newer.to_str().unwrap()]).await.worked();
    fleet.provisions(&Build::default()).await;

    assert!(refused.contains("has keys: give --erasures"), "{refused}");
    assert!(said.contains("1 verifications are erased, or will be."), "{said}");
    let open_end = journey.ends(&open).await;
    fleet.assert_went_through(&open, &open_end, "accepted").await;
    let waiting_end = Journey::new(fleet.caller(), "waiting", json!({})).ends(&waiting).await;
    assert_eq!(waiting_end["outcome"], "expired");
    assert_eq!(result_of(&fleet, &done).await.is(200), before);
    assert!(everything_in(&fleet.nats, "KV_SEALED").await.iter().any(|m| m.ends_with(&large)));
    result_of(&fleet, &open).await.is(200);
    is_erased(&fleet, &gone).await;
    result_of(&fleet, &gone).await.problem(410, "erased");
    soon("its data key is on no disk", async || {
        let found = files_with(&fleet.broker_folder(), &key);
        if found.is_empty() { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    fleet.caller().look_at(&later.id).ask().await.is(404);
    // The subscriber goes on where it was.
    soon("the subscriber is told what is new to it", async || {
        let info = subscriber.get_info().await.map_err(|error| error.to_string())?;
        if info.num_pending == 2 { Ok(()) } else { Err(info.num_pending.to_string()) }
    })
    .await;
    assert_eq!(hears(&subscriber).await, ids([&open, &waiting]));
    for v in [&done, &gone, &open, &waiting] {
        assert_eq!(fleet.ends_of(&v.id).await.len(), 1);
    }
}

#[tokio::test]
async fn a_backup_without_keys_brings_every_end_back_and_no_result() {
    let fleet = fleet().await;
    let done = a_finished_one(&fleet, "done").await;
    let never = json!({ "tags": ["simulate:never-finishes"] });
    let (journey, open) = a_verification(&fleet, "open", never).await;
    journey.is_submitted(&open).await;
    let copy = backs_up(&fleet, "copy", &[]).await;
    let mut folders: Vec<_> =
        fs::read_dir(&copy).unwrap().map(|f| f.unwrap().file_name()).collect();
    folders.sort();
    assert_eq!(
        folders,
        ["DEAD_LETTERS", "KV_DOSSIERS", "VERIFICATIONS", "erasures.jsonl", "manifest.json"]
    );

    all_is_lost(&fleet).await;
    fleet.simulator.finishes(&open, "accepted").await;
    restores(&fleet, &copy, &[]).await.worked();
    fleet.provisions(&Build::default()).await;

    let end = journey.ends(&open).await;
    fleet.assert_went_through(&open, &end, "accepted").await;
    for v in [&done, &open] {
        result_of(&fleet, v).await.problem(410, "result-expired");
    }
    // Whoever asks today gets all there is.
    let new = a_finished_one(&fleet, "new").await;
    result_of(&fleet, &new).await.is(200);
}

/// As somebody does who wants to know whether a backup is any good.
#[tokio::test]
async fn a_copy_of_a_cluster_can_be_restored_into_one_server() {
    let three = Scene::new().on(Bus::Cluster).with("proofline", "PROOFLINE_NATS_REPLICAS", 3);
    let stage = three.start().await;
    let (given, _, then) = stage.acts();
    then.finishes(&given.a_submitted_verification(json!({})).await).await;
    let copy = stage.folder().join("copy");
    let mut settings = vec![("PROOFLINE_NATS_URL", stage.broker.lock().await.url())];
    settings.extend(stage.guard.as_ref().unwrap().settings_of("backup"));
    let copy = copy.to_str().unwrap();
    type_with(&settings, &["backup", "--to", copy]).await.worked();
    let options = Options { dir: stage.folder().join("rehearsal"), ..Options::default() };
    let server = Server::start(options).await.unwrap();

    let tenants = stage.folder().join("tenants.toml").display().to_string();
    let settings = [("PROOFLINE_NATS_URL", server.url()), ("PROOFLINE_TENANTS_FILE", tenants)];
    let restored = type_with(&settings, &["restore", "--from", copy]).await.worked();
    type_with(&settings, &["provision"]).await.worked();

    let client = async_nats::connect(server.url()).await.unwrap();
    let log = jetstream::new(client.clone()).get_stream("VERIFICATIONS").await.unwrap();
    let info = log.cached_info();
    assert!(restored.contains(&format!("VERIFICATIONS: {} messages", info.state.messages)));
    assert_eq!(info.config.num_replicas, 1);
    assert_eq!(ends_in(&client).await.len(), 1);
}

#[tokio::test]
async fn every_fault_of_a_backup_is_told_at_once_and_nothing_is_changed() {
    let fleet = fleet().await;
    let done = a_finished_one(&fleet, "done").await;
    let copy = backs_up(&fleet, "copy", &["--with-keys"]).await;
    let again = types(&fleet, &["backup", "--to", copy.to_str().unwrap()]).await.failed();
    assert!(again.contains("is not empty"), "{again}");
    let ledger = copy.join("erasures.jsonl");
    let ledger = ledger.to_str().unwrap();
    let fine = restores(&fleet, &copy, &["--check", "--overwrite", "--erasures", ledger]).await;
    assert!(fine.worked().contains("Nothing is wrong"));

    let mut messages = fs::read(copy.join("VERIFICATIONS/stream.tar.s2")).unwrap();
    messages[100] ^= 1;
    fs::write(copy.join("VERIFICATIONS/stream.tar.s2"), messages).unwrap();
    fs::write(copy.join("KV_SEALED/stream.tar.s2"), "short").unwrap();
    fs::remove_file(copy.join("KV_DOSSIERS/backup.json")).unwrap();
    fs::write(ledger, "{}\n").unwrap();
    let faults = restores(&fleet, &copy, &["--erasures", ledger]).await.failed();

    for fault in [
        "VERIFICATIONS/stream.tar.s2 is not what was written",
        "KV_SEALED/stream.tar.s2 has 5 bytes instead of",
        "KV_DOSSIERS/backup.json cannot be read",
        "erasures.jsonl has 3 bytes instead of 0",
        "erasures.jsonl, line 1: not an erasure",
        "KV_DATA_KEYS is there already",
    ] {
        assert!(faults.contains(fault), "{fault} in {faults}");
    }
    result_of(&fleet, &done).await.is(200);
    fs::remove_file(copy.join("manifest.json")).unwrap();
    let none = restores(&fleet, &copy, &[]).await.failed();
    assert!(none.contains("is it a complete backup?"), "{none}");
}

/// Everything but Assure.
async fn the_services_stop(fleet: &Fleet) {
    join_all(services(fleet).map(Member::stop)).await;
}

async fn the_services_start(fleet: &Fleet) {
    fleet.provisions(&Build::default()).await;
    join_all(services(fleet).map(Member::restart)).await;
}

fn services(fleet: &Fleet) -> impl Iterator<Item = &Member> {
    fleet.members().iter().filter(|member| member.program != SIMULATOR)
}

#[tokio::test]
async fn overwriting_what_is_there_forgets_no_erasure_of_it_even_if_it_breaks_off() {
    let fleet = fleet().await;
    let (done, gone) = (a_finished_one(&fleet, "done").await, a_finished_one(&fleet, "gone").await);
    let copy = backs_up(&fleet, "copy", &["--with-keys"]).await;
    erases(&fleet, &gone).await;
    // Its own list knows nothing of that.
    let ledger = copy.join("erasures.jsonl");
    let overwriting = ["--overwrite", "--erasures", ledger.to_str().unwrap()];

    let refused = restores(&fleet, &copy, &overwriting).await.failed();
    assert!(refused.contains("stop the services first"), "{refused}");
    is_erased(&fleet, &gone).await;
    the_services_stop(&fleet).await;
    // What it finds in the end is not what it was told: the log of today is gone by then.
    let whole = fs::read(copy.join("manifest.json")).unwrap();
    let mut wrong: Value = serde_json::from_slice(&whole).unwrap();
    let streams = wrong["streams"].as_array_mut().unwrap();
    let log = streams.iter_mut().find(|stream| stream["name"] == "VERIFICATIONS").unwrap();
    log["last_sequence"] = json!(log["last_sequence"].as_u64().unwrap() + 1);
    fs::write(copy.join("manifest.json"), wrong.to_string()).unwrap();
    let broken = restores(&fleet, &copy, &overwriting).await.failed();
    assert!(broken.contains("VERIFICATIONS is not restored"), "{broken}");
    fs::write(copy.join("manifest.json"), whole).unwrap();
    let said = restores(&fleet, &copy, &overwriting).await.worked();
    assert!(said.contains("erasures-remembered.jsonl: it is read too"), "{said}");
    assert!(said.contains("1 verifications are erased, or will be."), "{said}");
    the_services_start(&fleet).await;

    result_of(&fleet, &done).await.is(200);
    is_erased(&fleet, &gone).await;
    result_of(&fleet, &gone).await.problem(410, "erased");
}

#[tokio::test]
async fn a_backup_without_keys_leaves_no_key_of_what_a_list_says_is_erased() {
    let fleet = fleet().await;
    let (done, gone) = (a_finished_one(&fleet, "done").await, a_finished_one(&fleet, "gone").await);
    let copy = backs_up(&fleet, "copy", &[]).await;
    let ledger = fleet.folder().join("another.jsonl");
    let line = json!({
        "tenant": "acme", "verification_id": gone.id, "requested_at": "2026-11-24T12:00:00Z",
    });
    fs::write(&ledger, format!("{line}\n")).unwrap();
    let key = data_key_of(&fleet, &gone).await;
    fleet.is_at_rest().await;
    the_services_stop(&fleet).await;

    let overwriting = ["--overwrite", "--erasures", ledger.to_str().unwrap()];
    restores(&fleet, &copy, &overwriting).await.worked();

    let keys = everything_in(&fleet.nats, "KV_DATA_KEYS").await;
    assert!(!keys.is_empty() && !keys.contains(&key.to_vec()));
    the_services_start(&fleet).await;
    result_of(&fleet, &done).await.is(200);
    is_erased(&fleet, &gone).await;
}
