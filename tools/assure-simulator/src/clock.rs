//! The simulator's time: tokio's clock, so that a test with paused time governs all of it.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tokio::time::Instant;

/// As Assure writes instants: UTC, whole seconds.
const STAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// As HTTP writes instants (IMF-fixdate).
const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// Wall-clock time that advances with tokio's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: OffsetDateTime,
    origin: Instant,
}

impl Clock {
    /// Reads the machine's clock once; everything after is measured from there.
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulator's one look at the machine's clock"
    )]
    pub(crate) fn start() -> Self {
        Self { wall: OffsetDateTime::now_utc(), origin: Instant::now() }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.wall + self.origin.elapsed()
    }

    /// Milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
    }
}

/// Lets time pass, because a script, a fault or the reference says how much.
#[expect(clippy::disallowed_methods, reason = "time itself is what is simulated")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// An instant as Assure writes it.
pub(crate) fn stamp(instant: OffsetDateTime) -> String {
    instant.format(STAMP).expect("a date-time has every part of the format")
}

/// An instant as HTTP writes it.
pub(crate) fn http_date(instant: OffsetDateTime) -> String {
    instant.format(HTTP_DATE).expect("a date-time has every part of the format")
}
