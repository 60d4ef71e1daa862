//! A model of JetStream: what the leader has, in memory, and how requests to it go wrong.
//!
//! It follows what was tried on real servers, single and clustered: `stream.rs` has guards, repeats
//! and schedules, `consumer.rs` redelivery, `wire.rs` what happens to a request on its way.

mod consumer;
mod owned;
mod planted;
mod pull;
mod refusal;
mod store;
mod stream;
mod wire;

pub(crate) use store::Store;
pub(crate) use stream::Stored;
pub(crate) use wire::Wire;
