//! How a worker fares, for readiness and metrics.

use std::{
    sync::{
        Arc, LazyLock, Mutex, Once, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, global};

use crate::telemetry;

/// Whether a worker is consuming.
#[derive(Debug, Clone)]
pub struct Health(Arc<State>);

#[derive(Debug)]
struct State {
    name: &'static str,
    is_consuming: AtomicBool,
    /// When its pull was last known to be alive, in milliseconds since [`START`].
    last_sign: AtomicU64,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Those that metrics tell of.
static TOLD: Once = Once::new();
static ALL: Mutex<Vec<Weak<State>>> = Mutex::new(Vec::new());

impl Health {
    pub(crate) fn new(name: &'static str) -> Self {
        telemetry::none_buried_yet(name);
        let last_sign = AtomicU64::new(milliseconds());
        let state = Arc::new(State { name, is_consuming: AtomicBool::default(), last_sign });
        let mut all = ALL.lock().expect("no panic while held");
        TOLD.call_once(tell_metrics);
        // Also where nobody asks for metrics, those of workers that are gone must go.
        all.retain(|state| state.strong_count() > 0);
        all.push(Arc::downgrade(&state));
        Self(state)
    }

    pub(crate) fn consuming(&self) {
        self.0.is_consuming.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stopped(&self) {
        if self.0.is_consuming.swap(false, Ordering::Relaxed) {
            self.0.last_sign.store(milliseconds(), Ordering::Relaxed);
        }
    }

    /// The consumer's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Whether messages would be handled now.
    ///
    /// # Errors
    /// A sentence for operators.
    pub fn check(&self) -> Result<(), String> {
        match self.0.silence() {
            Duration::ZERO => Ok(()),
            silence => Err(format!(
                "consumer {} is not there; its last sign of life was {} s ago",
                self.0.name,
                silence.as_secs()
            )),
        }
    }
}

impl State {
    /// How long ago its last sign of life was. A pull that lives brings messages or heartbeats; the
    /// worker is told within seconds when it does not.
    fn silence(&self) -> Duration {
        if self.is_consuming.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let silence = milliseconds().saturating_sub(self.last_sign.load(Ordering::Relaxed));
        Duration::from_millis(silence.max(1))
    }
}

fn milliseconds() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn tell_metrics() {
    global::meter("proofline")
        .f64_observable_gauge("proofline.consumer.silence")
        .with_unit("s")
        .with_description("Time since the last sign of life of a consumer; 0 while there are any")
        .with_callback(|observer| {
            let mut all = ALL.lock().expect("no panic while held");
            all.retain(|state| state.strong_count() > 0);
            for state in all.iter().filter_map(Weak::upgrade) {
                let labels = [KeyValue::new("consumer", state.name)];
                observer.observe(state.silence().as_secs_f64(), &labels);
            }
        })
        .build();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_until_there_is_a_sign_of_life() {
        let health = Health::new("verifier-requests");
        let told = health.check().unwrap_err();
        assert!(told.starts_with("consumer verifier-requests is not there"), "{told}");
        health.consuming();
        assert_eq!(health.check(), Ok(()));
        health.stopped();
        assert!(health.check().is_err());
    }
}
