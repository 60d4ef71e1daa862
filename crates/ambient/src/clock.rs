//! The wall clock, read here and handed on as an argument.

use time::OffsetDateTime;

use crate::replaced;

/// What time it is, in UTC.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn now() -> OffsetDateTime {
    replaced::now().unwrap_or_else(OffsetDateTime::now_utc)
}
