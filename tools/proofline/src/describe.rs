//! `proofline describe`: the interfaces as documents, for programs and for people.

mod page;
mod settings;

use clap::ValueEnum;

/// An interface that can be described.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Interface {
    /// The HTTP API of intake, as OpenAPI 3.1.
    Api,
    /// The events on NATS, as AsyncAPI 3.0.
    Events,
    /// Every setting of every program, as JSON.
    Settings,
    /// The same as a page, docs/configuration.md.
    Configuration,
}

/// The document, in JSON unless it is a page.
pub(crate) fn document(interface: Interface) -> String {
    let document = match interface {
        Interface::Api => proofline_intake::openapi(),
        Interface::Events => proofline_events::asyncapi(),
        Interface::Settings => settings::document(&settings::programs()),
        Interface::Configuration => return page::write(&settings::programs()),
    };
    format!("{document:#}")
}
