//! How long the bytes of an erased data key stay on the disks of a cluster of three: in the stores,
//! and in the logs of what the servers have agreed on, until these are compacted. Prints each
//! server's time, with nothing else to do and under load.
//!
//! `cargo build --workspace --bins && cargo test -p proofline-tests --bench erasure_time`

#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has failed")]

#[path = "../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "made for the tests, a part of it is used here")]
mod harness;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;
use tokio::time::interval;

use harness::{
    Ask, Bus, Caller, Scene, files_with,
    load::{Config, Load, Pace},
};

/// How long is waited for it.
const LONGEST: Duration = Duration::from_secs(1200);
/// Verifications in a second, where there is something to do.
const RATE: u32 = 5;

#[tokio::main]
async fn main() -> ExitCode {
    let is_idle_fine = measure("nothing else to do", None).await;
    let is_load_fine = measure(&format!("{RATE} verifications/s"), Some(RATE)).await;
    if is_idle_fine && is_load_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn measure(name: &str, rate: Option<u32>) -> bool {
    let three = Scene::new().on(Bus::Cluster).with("proofline", "PROOFLINE_NATS_REPLICAS", 3);
    let stage = three.start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    then.finishes(&v).await;
    let key = stage.data_key_of(&v).await;
    let servers = [0, 1, 2].map(|server| stage.broker_folder().join(format!("broker-{server}")));
    let Caller { api, uploads, .. } = stage.caller.clone();
    let load = rate.map(|rate| {
        let config = Config::new("erasure", vec![api], vec![uploads]);
        Load::start(Config { pace: Pace::PerSecond(rate), ..config })
    });
    let begun = Instant::now();
    let path = format!("/v1/verifications/{}", v.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);

    let mut gone = [None; 3];
    let mut pace = interval(Duration::from_secs(5));
    while begun.elapsed() < LONGEST && gone.iter().any(Option::is_none) {
        pace.tick().await;
        for (server, gone) in servers.iter().zip(&mut gone) {
            let is_gone = files_with(server, &key).is_empty();
            *gone = is_gone.then(|| gone.unwrap_or_else(|| begun.elapsed()));
        }
    }
    if let Some(load) = load {
        load.stop().await;
    }
    for (server, gone) in gone.iter().enumerate() {
        match gone {
            Some(after) => println!("{name}: server {server}: gone after {} s", after.as_secs()),
            None => println!("{name}: server {server}: there after {} s", LONGEST.as_secs()),
        }
    }
    gone.iter().all(Option::is_some)
}
