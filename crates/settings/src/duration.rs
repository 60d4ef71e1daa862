//! Durations as people write them in settings: an integer and one unit.

use std::time::Duration;

/// A century. More is a slip of the finger, and would overflow the dates it is added to.
const LONGEST: Duration = Duration::from_secs(36_500 * 24 * 60 * 60);

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not an integer followed by a unit.
    #[error("must be an integer and one of ms, s, m, h, d (such as 90s)")]
    Format,
    /// Zero, which no interval can be.
    #[error("must be more than zero")]
    Zero,
    /// More than a hundred years.
    #[error("must be at most 36500d")]
    TooLong,
}

/// Reads a duration: an integer and `ms`, `s`, `m`, `h` or `d`, without white space or sign.
///
/// # Errors
///
/// [`DurationError`] says which rule it breaks; it does not quote the text.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(DurationError::Format),
    };
    if number.is_empty() {
        return Err(DurationError::Format);
    }
    // Digits only, so the one way to fail is a number too large for the type.
    let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
    let millis = number.checked_mul(unit_ms).ok_or(DurationError::TooLong)?;
    match Duration::from_millis(millis) {
        Duration::ZERO => Err(DurationError::Zero),
        duration if duration > LONGEST => Err(DurationError::TooLong),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_understood() {
        let seconds = |text| parse_duration(text).map(|duration| duration.as_secs());
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("1s"), Ok(1));
        assert_eq!(seconds("5m"), Ok(300));
        assert_eq!(seconds("24h"), Ok(86_400));
        assert_eq!(seconds("90d"), Ok(7_776_000));
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for text in ["", "5", "s", "5 m", "1h30m", "-1s", "+1s", "1.5h", "5M", "٥s", "5µs"] {
            assert_eq!(parse_duration(text), Err(DurationError::Format), "{text:?}");
        }
        assert_eq!(parse_duration("0ms"), Err(DurationError::Zero));
        for text in ["36501d", "18446744073709551615d", "18446744073709551616ms"] {
            assert_eq!(parse_duration(text), Err(DurationError::TooLong), "{text:?}");
        }
    }
}
