//! What ends a subscription against its will.

/// Why a subscription can't begin or go on. That NATS or the consumer is away is no error: a
/// subscription waits for both.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text can't be the name of a durable consumer.
    #[error("not a name of a durable consumer")]
    InvalidDurable,
    /// The NATS client was closed or drained, or the prefix for JetStream is no subject.
    #[error("the NATS client cannot be used any more")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn client(
        cause: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        Self::Client(cause.into())
    }
}
