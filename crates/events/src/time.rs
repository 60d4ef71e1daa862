//! Between protobuf's timestamps and ours.

use ::time::OffsetDateTime;
use prost_types::Timestamp;

/// To protobuf.
pub fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: time.unix_timestamp(),
        nanos: i32::try_from(time.nanosecond()).expect("below a thousand million"),
    }
}

/// From protobuf; `None` outside the years 0 to 9999.
pub fn from_timestamp(timestamp: &Timestamp) -> Option<OffsetDateTime> {
    let nanos = i128::from(timestamp.seconds) * 1_000_000_000 + i128::from(timestamp.nanos);
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    (0..=9999).contains(&time.year()).then_some(time)
}
