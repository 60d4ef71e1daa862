//! The whole system as its users meet it.
//!
//! * What for: each test starts the real binaries as processes, with a nats-server and a simulator
//!   of its own, and speaks HTTP and NATS to them. It shows that the parts keep the contract
//!   together.
//! * What not for: what one crate promises alone; that is tested beside its code.
//! * Where to begin: `document_flow.rs` for the main job, then `harness/mod.rs`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

mod accounts;
mod bad_input;
mod callbacks;
mod chaos;
mod command_line;
mod dependencies;
mod doctor;
mod document_flow;
mod ends;
mod errors;
mod flows;
mod flows_and_ends;
mod handed_on;
mod hardening;
mod idempotency;
mod least_privilege;
mod live;
mod odd_requests;
mod operator;
mod privacy;
mod resilience;
mod settings;
mod stopping;
mod subscribers;
mod telemetry;
mod tenants;
mod uploads;
mod uploads_and_submission;
mod webhooks;
