//! What people read.

use std::io::{self, Write};

/// Prints to standard output.
pub(crate) fn say(text: &str) {
    // A reader that went away (`| head`) is no failure of ours.
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints to standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
