//! Whether requests should be sent here now.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use crate::Shutdown;

/// One condition of readiness: quick, looks at what is known already, calls nobody.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The conditions under which this process is ready; clones share them. Red from the moment
/// shutdown is asked, so that no new work comes in while the rest is finished.
#[derive(Clone)]
pub struct Readiness {
    shutdown: Shutdown,
    checks: Arc<RwLock<Vec<(String, Check)>>>,
}

impl Readiness {
    /// Ready until shutdown, as long as no check says otherwise.
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, checks: Arc::default() }
    }

    /// Adds a condition, for all clones. Its error is shown to whoever may see the admin port.
    pub fn check(&self, name: impl Into<String>, check: Check) -> Self {
        let mut checks = self.checks.write().unwrap_or_else(PoisonError::into_inner);
        checks.push((name.into(), check));
        drop(checks);
        self.clone()
    }

    /// Whether all conditions hold.
    ///
    /// # Errors
    ///
    /// The reasons against it, each as `name: reason`.
    pub fn ready(&self) -> Result<(), Vec<String>> {
        if self.shutdown.is_cancelled() {
            return Err(vec!["shutting down".to_owned()]);
        }
        let checks = self.checks.read().unwrap_or_else(PoisonError::into_inner);
        let reasons: Vec<String> = checks
            .iter()
            .filter_map(|(name, check)| check().err().map(|reason| format!("{name}: {reason}")))
            .collect();
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readiness").field(&self.ready()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn it_is_ready_without_conditions() {
        assert_eq!(Readiness::new(Shutdown::new()).ready(), Ok(()));
    }

    #[test]
    fn every_condition_that_does_not_hold_is_a_reason() {
        let connected = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&connected);
        let readiness = Readiness::new(Shutdown::new());
        let clone = readiness.clone();
        readiness.check(
            "nats",
            Arc::new(move || match seen.load(Ordering::SeqCst) {
                true => Ok(()),
                false => Err("not connected".to_owned()),
            }),
        );
        readiness.check("streams", Arc::new(|| Err("VERIFICATIONS is missing".to_owned())));

        let reasons = clone.ready().unwrap_err();
        assert_eq!(reasons, ["nats: not connected", "streams: VERIFICATIONS is missing"]);

        connected.store(true, Ordering::SeqCst);
        assert_eq!(clone.ready().unwrap_err(), ["streams: VERIFICATIONS is missing"]);
    }

    #[test]
    fn it_is_not_ready_once_shutdown_was_asked() {
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone()).check("nats", Arc::new(|| Ok(())));
        shutdown.cancel();
        assert_eq!(readiness.ready().unwrap_err(), ["shutting down"]);
    }
}
