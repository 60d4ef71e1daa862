//! Which verifications were overdue when they were last looked up, and still open: a number for
//! operators, and nothing that anything relies on.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Meter},
};
use proofline_events::VerificationId;
use time::{Duration, OffsetDateTime};

/// Kept by each replica of those that it has looked up itself, so the sum of all is the number.
#[derive(Clone)]
pub(crate) struct OverdueCount {
    /// When each is next looked up.
    open: Arc<Mutex<HashMap<VerificationId, OffsetDateTime>>>,
    /// Another replica has looked one up that was not seen here for so long after its time.
    margin: Duration,
    looked_up: Counter<u64>,
    rounds: Counter<u64>,
}

impl OverdueCount {
    /// None yet. `interval` is that of the rounds.
    pub(crate) fn new(interval: std::time::Duration, now: fn() -> OffsetDateTime) -> Self {
        Self::with(&global::meter("proofline"), interval, now)
    }

    fn with(meter: &Meter, interval: std::time::Duration, now: fn() -> OffsetDateTime) -> Self {
        let looked_up = meter
            .u64_counter("proofline.reconciliation.looked_up")
            .with_unit("{verification}")
            .with_description("Overdue verifications that were looked up, by what was found")
            .build();
        let rounds = meter
            .u64_counter("proofline.reconciliation.rounds")
            .with_unit("{round}")
            .with_description("Rounds of reconciliation, by outcome")
            .build();
        for found in ["open", "ended"] {
            looked_up.add(0, &[KeyValue::new("found", found)]);
        }
        let margin = Duration::try_from(interval.saturating_mul(3)).unwrap_or(Duration::HOUR);
        let count = Self { open: Arc::default(), margin, looked_up, rounds };
        let told = count.clone();
        meter
            .u64_observable_gauge("proofline.verifications.overdue")
            .with_unit("{verification}")
            .with_description("Verifications past their grace that were open when last looked up")
            .with_callback(move |observer| observer.observe(told.number(now()), &[]))
            .build();
        count
    }

    /// A round is over, well or not.
    pub(crate) fn round(&self, is_whole: bool) {
        let outcome = if is_whole { "whole" } else { "broken_off" };
        self.rounds.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    /// One was looked up, and is next looked up then.
    pub(crate) fn looked_up(&self, id: &VerificationId, is_found: bool, next: OffsetDateTime) {
        let found = if is_found { "ended" } else { "open" };
        self.looked_up.add(1, &[KeyValue::new("found", found)]);
        let mut open = self.open.lock().expect("no panic while held");
        if is_found {
            open.remove(id);
        } else {
            open.insert(id.clone(), next);
        }
    }

    /// One has its end.
    pub(crate) fn ended(&self, id: &VerificationId) {
        self.open.lock().expect("no panic while held").remove(id);
    }

    fn number(&self, now: OffsetDateTime) -> u64 {
        let mut open = self.open.lock().expect("no panic while held");
        open.retain(|_, next| now < *next + self.margin);
        open.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-02-03 08:00 UTC);

    #[test]
    fn those_are_counted_that_were_open_and_that_nobody_else_has_looked_up_since() {
        let count = OverdueCount::new(std::time::Duration::from_secs(60), || NOW);
        let id = |n: u32| VerificationId::parse(&format!("vrf_{n:020}")).unwrap();
        let minute = Duration::MINUTE;
        for n in 0..4 {
            count.looked_up(&id(n), false, NOW + minute * 2);
        }
        assert_eq!(count.number(NOW), 4);
        count.looked_up(&id(0), true, NOW + minute * 4);
        count.ended(&id(1));
        assert_eq!(count.number(NOW + minute), 2);
        count.looked_up(&id(2), false, NOW + minute * 30);
        assert_eq!(count.number(NOW + minute * 6), 1);
    }
}
