//! A real nats-server for development and tests: one server, or a cluster, each in a directory of its own.
//!
//! **What it is for.** `proofline dev` and every test that needs JetStream: find or fetch a pinned nats-server,
//! start it on the loopback interface, kill it, bring it back on the same port with the same data.
//!
//! **What it is not for.** Production. A server started here has no authentication unless the caller's extra
//! configuration adds it, and no TLS. A test of a deployment's own configuration gives that instead ([`Configuration`]).
//!
//! **Where to begin reading.** [`Server`], then [`locate()`] for where the program comes from, then [`Cluster`].

mod cluster;
mod config;
mod download;
mod locate;
mod monitoring;
mod ports;
mod server;

pub use cluster::Cluster;
pub use config::{Configuration, Detour, MAX_PAYLOAD_BYTES, Options};
pub use locate::locate;
pub use ports::free as free_ports;
pub use server::Server;
