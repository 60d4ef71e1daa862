//! The running simulator: everything its handlers share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::calls::Calls;
use crate::clock::{Clock, pause};
use crate::faults::Faults;
use crate::pages::Kind;
use crate::settings::Settings;
use crate::store::Store;
use crate::token::Tokens;
use crate::webhooks::Webhooks;

/// One simulator.
pub(crate) struct Simulator {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) webhooks: Webhooks,
    /// Sends callbacks and events.
    pub(crate) http: reqwest::Client,
    /// Where end-users find the pages, without a slash at the end.
    base: String,
    store: Mutex<Store>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Simulator {
    /// `base`: where the simulator can be reached, unless the settings say so.
    pub(crate) fn new(
        settings: Settings,
        base: String,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let base = match &settings.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => base,
        };
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(settings.callback_timeout)
            .build()?;
        Ok(Self {
            clock: Clock::start(),
            tokens: Tokens::default(),
            faults: Faults::new(settings.seed),
            calls: Calls::default(),
            webhooks: Webhooks::new(&settings),
            http,
            base,
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

    /// The address of a page.
    pub(crate) fn address(&self, kind: Kind, id: &str) -> String {
        format!("{}/{}/{id}", self.base, kind.segment())
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
