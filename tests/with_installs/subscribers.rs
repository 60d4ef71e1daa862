//! The subscribers in other languages that the manual shows.

use tokio::process::Command;

use crate::{
    example::{misses_nothing_when_killed, stops_while_nats_is_away},
    harness::Stage,
    installs::{in_repository, installed},
};

#[tokio::test]
async fn the_python_subscriber_misses_nothing_when_killed() {
    misses_nothing_when_killed(&Stage::start().await, python_example).await;
}

#[tokio::test]
async fn the_python_subscriber_stops_while_nats_is_away() {
    stops_while_nats_is_away(&Stage::start().await, python_example).await;
}

#[tokio::test]
async fn the_node_subscriber_misses_nothing_when_killed() {
    misses_nothing_when_killed(&Stage::start().await, node_example).await;
}

#[tokio::test]
async fn the_node_subscriber_stops_while_nats_is_away() {
    stops_while_nats_is_away(&Stage::start().await, node_example).await;
}

fn python_example() -> Command {
    let mut command = Command::new(installed("example-python/bin/python"));
    command.arg(in_repository("crates/subscriber/examples/python/billing.py"));
    command
}

fn node_example() -> Command {
    let mut command = Command::new("node");
    command.arg(installed("example-node/billing.js"));
    command.env("PROOFLINE_PROTO", in_repository("proto"));
    command
}
