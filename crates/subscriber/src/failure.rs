//! What a handler answers when it did not handle an event.

use std::{error::Error, time::Duration};

/// Why an event was not handled, and with it what becomes of it.
///
/// Any error is one: `?` turns it into a failure that is tried again, a little later each time.
/// It is logged, so it should carry no personal data.
#[derive(Debug)]
pub struct Failure(pub(crate) Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    Retry { after: Option<Duration>, cause: Box<dyn Error + Send + Sync> },
    Reject { code: String, detail: String },
}

impl Failure {
    /// The event is to come again after this time, as when something is known to be away for so
    /// long.
    pub fn retry_after(
        after: Duration,
        cause: impl Into<Box<dyn Error + Send + Sync + 'static>>,
    ) -> Self {
        Self(Kind::Retry { after: Some(after), cause: cause.into() })
    }

    /// The event can never be handled: it is put aside as a dead letter, with a code in kebab case
    /// and a sentence for people. Neither may hold personal data.
    pub fn reject(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self(Kind::Reject { code: code.into(), detail: detail.into() })
    }
}

impl<E: Into<Box<dyn Error + Send + Sync + 'static>>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self(Kind::Retry { after: None, cause: cause.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_is_tried_again() {
        fn handle() -> Result<u32, Failure> {
            Ok("not a number".parse()?)
        }
        assert!(matches!(handle(), Err(Failure(Kind::Retry { after: None, .. }))));
        assert!(matches!(Failure::from("away"), Failure(Kind::Retry { after: None, .. })));
        let error = anyhow::anyhow!("away");
        assert!(matches!(Failure::from(error), Failure(Kind::Retry { after: None, .. })));
    }
}
