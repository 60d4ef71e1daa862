//! `proofline-intake`: accepts verification requests and answers for them.

use std::process::ExitCode;

use proofline_intake::{ABOUT, Settings, run};

fn main() -> ExitCode {
    proofline_service::main(ABOUT, Settings::read, run)
}
