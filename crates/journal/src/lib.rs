//! JetStream as Proofline's database: one log for each verification, and what else is kept there.
//!
//! * What for: reading a verification, appending to it under a guard, consuming events, timers,
//!   sealed documents, dead letters; and the one place that defines streams and consumers.
//! * What not for: deciding anything (`verification`) and the form of events (`events`).
//! * Where to begin: [`Journal::execute`], the read-decide-append step that every service is made
//!   of; then [`worker`], the loop that every consumer runs in; [`topology`] for what exists.

mod append;
mod batch;
mod bucket;
pub mod bus;
mod census;
mod connection;
mod dead_letter;
mod direct_get;
mod dossiers;
mod erasures;
mod error;
mod fate;
mod hint;
mod journal;
mod lease;
mod nats;
mod pace;
mod provision;
mod rewrap;
mod server;
mod signal;
mod telemetry;
mod timers;
mod together;
pub mod topology;
mod trace;
mod vault;
mod watch;
pub mod worker;

pub use batch::{DueTimers, Taken};
pub use census::{Census, StreamState, WaitingDeadLetters};
pub use connection::{Connection, Settings};
pub use dossiers::{Dossiers, Members};
pub use erasures::{Erasure, Erasures};
pub use error::{Error, ExecuteError};
pub use hint::Hint;
pub use journal::{Executed, History, Journal};
pub use lease::Lease;
pub use pace::AccountPace;
pub use provision::{ProvisionError, ProvisionSettings, Retention, outstanding, provision, prune};
pub use rewrap::{Rewrap, Wrapping};
pub use server::{check_max_payload, check_version};
pub use signal::{Signal, SignalSink, Stored};
pub use telemetry::told_an_end;
pub use timers::{Due, TimerKind};
pub use vault::{DocumentKind, Vault, VaultError};
pub use watch::StreamWatch;
