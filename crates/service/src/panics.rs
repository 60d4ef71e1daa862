//! A panic is a bug: it is logged as one, without what it might quote.

use std::{backtrace::Backtrace, panic};

use tracing::error;

/// Logs panics as JSON lines with their place. A message that was put together at run time is held
/// back, since it may quote a caller's data (a slicing panic quotes the whole text).
pub(crate) fn log_them() {
    panic::set_hook(Box::new(|info| {
        let message = literal(info.payload()).unwrap_or("(held back: it may quote data)");
        let location = info.location().map(ToString::to_string);
        // Only with RUST_BACKTRACE set; otherwise it says that it is disabled.
        let backtrace = Backtrace::capture();
        error!(location, panic = message, %backtrace, "panicked, which is a bug");
    }));
}

fn literal(payload: &(dyn std::any::Any + Send)) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_literal_message_is_told() {
        assert_eq!(literal(&"an invariant"), Some("an invariant"));
        assert_eq!(literal(&format!("data of {}", "a caller")), None);
    }
}
