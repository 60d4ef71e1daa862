//! What the services reach, beside what their parts can do.
//!
//! Starts the release build of the services and a real nats-server, drives them over HTTP and NATS
//! only, and measures each figure beside its *anchor* in the same round: a bare program of the same
//! libraries that does as little as can be done. What counts is the ratio; see docs/performance.md.
//!
//! Begin to read at [`section`]: one file for each group of figures.

#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has failed")]

mod anchor;
mod arguments;
mod callbacks;
#[path = "../../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "made for the tests, a part of it is used here")]
mod harness;
mod load;
mod raw;
mod report;
mod section;
mod ticker;
mod usage;
mod venue;
mod verifications;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use report::Report;

#[tokio::main]
async fn main() -> ExitCode {
    // The anchors' and the harness's clients share it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    if let Some(Command::Anchor { anchor }) = arguments.command {
        Box::pin(anchor.serve()).await;
        return ExitCode::SUCCESS;
    }
    Box::pin(measure(arguments)).await
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "that is what it is for")]
async fn measure(arguments: Arguments) -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("figures of a debug build tell nothing: use make bench");
        return ExitCode::FAILURE;
    }
    let mut report = Report::default();
    for section in arguments.sections() {
        println!("{section} …");
        let measured = Box::pin(section.measure(arguments.rounds)).await;
        println!("{measured}");
        report.add(measured);
    }
    println!("{report}");
    report.write(&arguments.summary);
    ExitCode::SUCCESS
}
