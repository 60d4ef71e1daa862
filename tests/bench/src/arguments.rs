//! What is to be measured.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{anchor::Anchor, section::Section};

/// Measures the services beside anchors.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// The sections to measure, such as P1; all when none is named.
    sections: Vec<Section>,
    /// How often everything is measured; median and spread are of these.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Where the figures go as JSON.
    #[arg(long, default_value = "target/bench/summary.json")]
    pub(crate) summary: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs an anchor: started by the measurement itself, so that it is a process of its own.
    #[command(hide = true)]
    Anchor {
        #[command(subcommand)]
        anchor: Anchor,
    },
}

impl Arguments {
    pub(crate) fn sections(&self) -> Vec<Section> {
        if self.sections.is_empty() { Section::ALL.to_vec() } else { self.sections.clone() }
    }
}
