//! Points in time, as people give them.

use proofline_settings::parse_duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A time in RFC 3339, or how long ago.
pub(crate) fn point_in_time(text: &str) -> Result<OffsetDateTime, String> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(time);
    }
    let ago = parse_duration(text)
        .map_err(|_| "neither a time in RFC 3339 nor a duration such as 24h".to_owned())?;
    now().checked_sub(ago.try_into().map_err(|_| "too long ago")?).ok_or("too long ago".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "an operator asks now")]
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_is_told_by_the_clock_or_by_how_long_ago() {
        let time = point_in_time("2026-11-23T20:49:40Z").unwrap();
        assert_eq!(time.unix_timestamp(), 1_795_466_980);
        let ago = now() - point_in_time("24h").unwrap();
        assert!((time::Duration::hours(23)..time::Duration::hours(25)).contains(&ago), "{ago}");
        for bad in ["", "yesterday", "24", "2026-11-23"] {
            assert!(point_in_time(bad).is_err(), "{bad}");
        }
    }
}
