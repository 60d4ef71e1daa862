//! `proofline describe`: the interfaces as documents for programs.

use clap::ValueEnum;

/// An interface that can be described.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Interface {
    /// The events on NATS, as AsyncAPI 3.0.
    Events,
}

/// The document, in JSON.
pub(crate) fn document(interface: Interface) -> String {
    match interface {
        Interface::Events => format!("{:#}", proofline_events::asyncapi()),
    }
}
