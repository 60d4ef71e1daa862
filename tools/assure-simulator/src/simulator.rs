//! The running simulator: everything its handlers share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::calls::Calls;
use crate::clock::{Clock, pause};
use crate::faults::Faults;
use crate::settings::Settings;
use crate::store::Store;
use crate::token::Tokens;

/// One simulator.
pub(crate) struct Simulator {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    /// Sends callbacks.
    pub(crate) http: reqwest::Client,
    store: Mutex<Store>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Simulator {
    pub(crate) fn new(settings: Settings, shutdown: CancellationToken) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(settings.callback_timeout)
            .build()?;
        Ok(Self {
            clock: Clock::start(),
            tokens: Tokens::default(),
            faults: Faults::new(settings.seed),
            calls: Calls::default(),
            http,
            store: Mutex::new(Store::new(settings.default_script())),
            tasks: TaskTracker::new(),
            shutdown,
            settings,
        })
    }

    /// The dossiers and processes. Never held across an await.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something beside the calls until it is done or the simulator stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            shutdown.run_until_cancelled(task).await;
        });
    }

    /// Lets time pass, but not beyond the shutdown.
    pub(crate) async fn pause(&self, duration: Duration) {
        self.shutdown.run_until_cancelled(pause(duration)).await;
    }

    /// Waits for what [`Self::spawn`] started, after the shutdown was asked for.
    pub(crate) async fn finish_tasks(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
