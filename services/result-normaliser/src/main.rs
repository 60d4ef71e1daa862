//! `proofline-result-normaliser`: tells the end.

use std::process::ExitCode;

use proofline_result_normaliser::{ABOUT, Settings, run};

fn main() -> ExitCode {
    proofline_service::main(ABOUT, Settings::read, run)
}
