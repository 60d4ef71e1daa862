//! Consumers, as far as several commands look at them.

use async_nats::jetstream::{
    Error, ErrorCode,
    stream::{ConsumerError, ConsumerErrorKind},
};

/// Whether it means that there is no such consumer.
pub(crate) fn is_missing(error: &ConsumerError) -> bool {
    let missing = |error: &Error| error.error_code() == ErrorCode::CONSUMER_NOT_FOUND;
    matches!(error.kind(), ConsumerErrorKind::JetStream(error) if missing(&error))
}
