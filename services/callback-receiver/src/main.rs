//! `proofline-callback-receiver`: hears from Assure.

use std::process::ExitCode;

use proofline_callback_receiver::{ABOUT, Settings, run};

fn main() -> ExitCode {
    proofline_service::main(ABOUT, Settings::read, run)
}
