//! `proofline-upload`: carries images to Assure.

use std::process::ExitCode;

use proofline_upload::{ABOUT, Settings, run};

fn main() -> ExitCode {
    proofline_service::main(ABOUT, Settings::read, run)
}
