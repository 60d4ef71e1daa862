//! `proofline verify` and `proofline demo`, as somebody types them.

use std::{path::PathBuf, process::Output};

use async_nats::jetstream;
use proofline_broker::{Options, Server};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::harness::{ACME_KEY, PATIENCE, Stage, jpeg, program};

#[tokio::test]
async fn a_demo_on_a_given_nats_leaves_to_its_subscriber_what_is_the_subscriber_s() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { dir: folder.path().to_owned(), ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let mut demo = program("proofline");
    demo.arg("demo").env("PROOFLINE_NATS_URL", server.url());

    let output = timeout(PATIENCE, demo.output()).await.expect("it ends").unwrap();

    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("A subscriber received: ProcessFinished").count(), 6, "{said}");
    let jetstream = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let durable = jetstream.get_consumer_from_stream("demo-subscriber", "VERIFICATIONS").await;
    let durable: jetstream::consumer::PullConsumer = durable.unwrap();
    assert_eq!(durable.cached_info().num_pending, 6);
}

/// Runs `proofline` with these arguments.
async fn proofline(key: Option<&str>, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = program("proofline");
    command.args(arguments).envs(key.map(|key| ("PROOFLINE_API_KEY", key)));
    let Output { status, stdout, stderr } =
        timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn an_image() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("front.jpg");
    std::fs::write(&file, jpeg("front")).unwrap();
    (folder, file)
}

#[tokio::test]
async fn a_verification_from_an_image_file_shows_its_timeline_and_outcome() {
    let stage = Stage::start().await;
    let (_folder, front) = an_image();
    let arguments = [
        "verify",
        "--api-url",
        &stage.caller.api,
        "--process-type",
        "document",
        "--front",
        front.to_str().unwrap(),
        "--tag",
        "simulate:rejected",
    ];
    let (code, shown, complaint) = proofline(Some(ACME_KEY), &arguments).await;
    assert_eq!((code, complaint.as_str()), (Some(0), ""), "{shown}");
    for part in [
        "front is uploaded",
        "submission-requested",
        "process-finished",
        "The verification ended rejected.",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains(ACME_KEY));
}

#[tokio::test]
async fn what_cannot_be_is_told_with_every_fault_and_without_the_key() {
    let stage = Stage::start().await;
    let (_folder, front) = an_image();
    let front = front.to_str().unwrap();
    let arguments = [
        "verify",
        "--api-url",
        &stage.caller.api,
        "--provider",
        "nobody",
        "--expires-in",
        "0",
        "--front",
        front,
    ];
    let (code, _, complaint) = proofline(Some(ACME_KEY), &arguments).await;
    assert_eq!(code, Some(1));
    for part in ["422", "/provider", "/expires_in_seconds"] {
        assert!(complaint.contains(part), "{part} in {complaint}");
    }
    let (code, _, complaint) = proofline(None, &arguments).await;
    assert_eq!(code, Some(2));
    assert!(complaint.contains("PROOFLINE_API_KEY"), "{complaint}");
    let (code, _, complaint) = proofline(Some("planted-key"), &arguments).await;
    assert_eq!(code, Some(1));
    assert!(complaint.contains("401") && !complaint.contains("planted-key"), "{complaint}");
}

#[tokio::test]
async fn health_is_the_exit_code_and_says_what_is_against_it() {
    let stage = Stage::start().await;
    let ready = format!("{}/readyz", stage.process("proofline-verifier").admin_url);
    let (code, shown, complaint) = proofline(None, &["health", &ready]).await;
    assert_eq!((code, shown.as_str(), complaint.as_str()), (Some(0), "", ""));

    stage.acts().1.nats_stops().await;
    stage.readiness_becomes("proofline-verifier", 503).await;
    let (code, _, complaint) = proofline(None, &["health", &ready]).await;
    assert_eq!(code, Some(1));
    assert!(complaint.starts_with("503 Service Unavailable: nats: "), "{complaint}");

    let nobody = "http://127.0.0.1:9/readyz";
    let (code, _, complaint) = proofline(None, &["health", nobody]).await;
    assert_eq!(code, Some(1));
    assert!(complaint.contains("Connection refused"), "{complaint}");
    let (code, ..) = proofline(None, &["health", "readyz"]).await;
    assert_eq!(code, Some(2));
}
