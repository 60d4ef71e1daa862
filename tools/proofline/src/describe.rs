//! `proofline describe`: the interfaces as documents for programs.

use clap::ValueEnum;

/// An interface that can be described.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Interface {
    /// The HTTP API of intake, as OpenAPI 3.1.
    Api,
    /// The events on NATS, as AsyncAPI 3.0.
    Events,
}

/// The document, in JSON.
pub(crate) fn document(interface: Interface) -> String {
    let document = match interface {
        Interface::Api => proofline_intake::openapi(),
        Interface::Events => proofline_events::asyncapi(),
    };
    format!("{document:#}")
}
