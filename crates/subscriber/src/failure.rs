//! What a handler answers when it did not handle an event.

use std::{any::type_name, error::Error, time::Duration};

/// Why an event was not handled, and with it what becomes of it.
///
/// Any error is one: `?` turns it into a failure that is tried again, a little later each time.
/// It is logged with its sources, so it should carry no personal data. A dead letter, should it come
/// to that, names its type alone.
#[derive(Debug)]
pub struct Failure(pub(crate) Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    /// `kind` says what failed where the cause itself may not stand.
    Retry {
        after: Option<Duration>,
        cause: Box<dyn Error + Send + Sync>,
        kind: &'static str,
    },
    Reject {
        code: String,
        detail: String,
    },
}

impl Failure {
    /// The event is to come again after this time, a day at most, as when something is known to be
    /// away for so long.
    pub fn retry_after<E: Into<Box<dyn Error + Send + Sync + 'static>>>(
        after: Duration,
        cause: E,
    ) -> Self {
        Self(Kind::Retry { after: Some(after), cause: cause.into(), kind: kind_of::<E>() })
    }

    /// The event can never be handled: it is put aside as a dead letter, with a code in kebab case
    /// and a sentence for people. Neither may hold personal data.
    pub fn reject(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self(Kind::Reject { code: code.into(), detail: detail.into() })
    }

    /// What a dead letter may say of it.
    pub(crate) fn told(&self) -> &str {
        match &self.0 {
            Kind::Retry { kind, .. } => kind,
            Kind::Reject { detail, .. } => detail,
        }
    }

    pub(crate) fn panic() -> Self {
        let (cause, kind) = ("the handler panicked".into(), "a panic of the handler");
        Self(Kind::Retry { after: None, cause, kind })
    }
}

fn kind_of<E>() -> &'static str {
    match type_name::<E>() {
        "&str" | "alloc::string::String" => "an error without a type of its own",
        name if name.starts_with("alloc::boxed::Box<dyn ") => "an error in a box",
        name => name,
    }
}

impl<E: Into<Box<dyn Error + Send + Sync + 'static>>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self(Kind::Retry { after: None, cause: cause.into(), kind: kind_of::<E>() })
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
