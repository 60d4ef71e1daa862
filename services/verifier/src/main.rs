//! `proofline-verifier`: starts verifications and watches deadlines.

use std::process::ExitCode;

use proofline_verifier::{ABOUT, Settings, run};

fn main() -> ExitCode {
    proofline_service::main(ABOUT, Settings::read, run)
}
