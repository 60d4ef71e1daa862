//! The journal on a real nats-server: one server, or a cluster, for each test.
#![expect(
    clippy::unwrap_used,
    reason = "clippy takes only the tests themselves, not their helpers, for tests"
)]

mod buckets;
mod census;
mod document_flow;
mod erasure;
mod guard;
mod harness;
mod lost_acknowledgement;
mod pace;
mod provision;
mod proxy;
mod race;
mod readiness;
mod rewrap;
mod rounds;
mod signals;
mod timers;
mod tracing_context;
mod worker;
