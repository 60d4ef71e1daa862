#![doc = include_str!("../README.md")]

mod delivery;
mod error;
mod failure;
mod failures;
mod handling;
mod lane;
mod pull;
mod settlement;
mod subscription;
mod trace;

pub use async_nats;
pub use proofline_events::{
    Word,
    v1::{Flow, Outcome, ProcessFinished, SignalSource},
};
pub use tokio_util::sync::CancellationToken;

pub use delivery::Delivery;
pub use error::Error;
pub use failure::Failure;
pub use subscription::Subscription;
