//! A process of a service: alive, standing still, or dead.

use std::{fmt, future::pending, sync::Mutex};

use proofline_service::Shutdown;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Intake,
    Upload,
    CallbackReceiver,
    Verifier,
    ResultNormaliser,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Intake,
        Self::Upload,
        Self::CallbackReceiver,
        Self::Verifier,
        Self::ResultNormaliser,
    ];
}

/// One process. A dead one gets no answer any more and has no effect: that is all the world can see
/// of a process that was killed.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) kind: Kind,
    /// Which replica, and which life of it.
    pub(crate) slot: usize,
    life: u32,
    dead: CancellationToken,
    frozen_until: Mutex<Instant>,
    pub(crate) shutdown: Shutdown,
}

impl Process {
    pub(crate) fn new(kind: Kind, slot: usize, life: u32) -> Self {
        Self {
            kind,
            slot,
            life,
            dead: CancellationToken::new(),
            frozen_until: Mutex::new(Instant::now()),
            shutdown: Shutdown::new(),
        }
    }

    pub(crate) fn kill(&self) {
        self.dead.cancel();
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.is_cancelled()
    }

    pub(crate) async fn died(&self) {
        self.dead.cancelled().await;
    }

    pub(crate) fn freeze(&self, until: Instant) {
        *self.frozen_until.lock().expect("no panic while held") = until;
    }

    pub(crate) fn is_frozen(&self) -> bool {
        *self.frozen_until.lock().expect("no panic while held") > Instant::now()
    }

    /// Returns once the process runs: never when it is dead.
    pub(crate) async fn runs(&self) {
        while self.is_frozen() {
            let until = *self.frozen_until.lock().expect("no panic while held");
            sleep_until(until).await;
        }
        if self.is_dead() {
            pending::<()>().await;
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}.{}", self.kind, self.slot, self.life)
    }
}
