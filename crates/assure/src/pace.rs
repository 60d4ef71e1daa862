//! Leaving Assure alone when it asks for it.

use std::time::Duration;

use futures_util::future::BoxFuture;

/// Until when an account must be left alone. Shared by all that call on that account, over
/// whatever they share: this crate knows no broker.
pub trait Pace: Send + Sync {
    /// How much longer, if at all.
    fn remaining(&self) -> BoxFuture<'_, Option<Duration>>;

    /// Assure wants to be left alone this long. Never shortens an earlier wish.
    fn hold(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// The wish of a 429: `Retry-After` in seconds or as an HTTP date; `default` without one.
pub(crate) fn retry_after(
    header: Option<&str>,
    now: time::OffsetDateTime,
    default: Duration,
) -> Duration {
    // A date that has passed is one of a clock that differs: it means "soon", not "go on".
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let asked = header.map(str::trim).and_then(|text| {
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc2822)
            .ok()?;
        Some(Duration::try_from(at - now).unwrap_or_default())
    });
    asked.unwrap_or(default).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn both_forms_of_retry_after_are_understood_and_nonsense_is_not() {
        let now = datetime!(2026-02-03 08:15:30 UTC);
        let default = Duration::from_secs(1);
        let of = |header| retry_after(header, now, default).as_secs();
        assert_eq!(of(Some("5")), 5);
        assert_eq!(of(Some("Tue, 03 Feb 2026 08:15:37 GMT")), 7);
        assert_eq!(of(Some("Tue, 03 Feb 2026 08:15:00 GMT")), 1);
        assert_eq!(of(Some("soon")), 1);
        assert_eq!(of(None), 1);
        assert_eq!(of(Some("99999999")), 24 * 60 * 60);
    }
}
