//! The subscribers in other languages that the manual shows.

use tokio::process::Command;

use crate::{
    example::misses_nothing_when_killed,
    harness::Stage,
    installs::{in_repository, installed},
};

#[tokio::test]
async fn the_python_subscriber_misses_nothing_when_killed() {
    let stage = Stage::start().await;
    let program = in_repository("crates/subscriber/examples/python/billing.py");
    misses_nothing_when_killed(&stage, || {
        let mut command = Command::new(installed("example-python/bin/python"));
        command.arg(&program);
        command
    })
    .await;
}

#[tokio::test]
async fn the_node_subscriber_misses_nothing_when_killed() {
    let stage = Stage::start().await;
    misses_nothing_when_killed(&stage, || {
        let mut command = Command::new("node");
        command.arg(installed("example-node/billing.js"));
        command.env("PROOFLINE_PROTO", in_repository("proto"));
        command
    })
    .await;
}
