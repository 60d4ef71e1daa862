//! How much memory images cost that are on their way: prints it, and fails above the promise.
//!
//! `cargo build --workspace --bins && cargo test -p proofline-tests --bench upload_memory`

#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has failed")]

#[path = "../it/resilience/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "made for the tests, a part of it is used here")]
mod fleets;
#[path = "../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "made for the tests, a part of it is used here")]
mod harness;

use std::process::ExitCode;

use fleets::{Growth, Plan, at_once};
use serde_json::json;

const IMAGES: usize = 32;
const IMAGE_BYTES: usize = 9 << 20;
/// The promise.
const MOST_BYTES: u64 = 64 << 20;
/// How long Assure reads nothing: long enough for all images to arrive meanwhile.
const STANDSTILL_MS: u64 = 10_000;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn main() -> ExitCode {
    let fleet = Plan::new().start().await;
    // What a process needs anyway.
    at_once(&fleet, "warm", 1, IMAGE_BYTES).await;

    let growth = Growth::begin(&fleet).await;
    at_once(&fleet, "a", IMAGES, IMAGE_BYTES).await;
    let flowing = growth.end();

    let slow = json!({ "slow": { "ms": STANDSTILL_MS } });
    fleet.simulator.goes_wrong("setImages", slow, json!({})).await;
    let growth = Growth::begin(&fleet).await;
    at_once(&fleet, "b", IMAGES, IMAGE_BYTES).await;
    let standing = growth.end();

    for (what, grown) in [("that Assure reads", flowing), ("that Assure lets wait", standing)] {
        let (images, mebibytes) = (IMAGE_BYTES >> 20, grown as f64 / f64::from(1 << 20));
        println!("{IMAGES} images of {images} MiB at once {what}: {mebibytes:.1} MiB more memory");
    }
    if flowing.max(standing) < MOST_BYTES { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
