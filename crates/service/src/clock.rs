//! The wall clock, read here and handed on as an argument.

use time::OffsetDateTime;

/// What time it is, in UTC.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
