//! Load: callers who behave well, in any number, and an account of what became of what they asked.
//!
//! [`Load::start`] sends them off, [`Load::stop`] calls them back and gives the [`Ledger`]: each
//! verification that was asked for, with its times, and every answer by its status.
//! [`Ledger::settle`] then waits for the ends and compares by id, both with what was answered and
//! with what the stream holds: the [`Report`] says what is lost and what ended twice.
//!
//! A caller has an idempotency key for each verification, comes again after a broken connection
//! and after whatever answer says when (obeying it), and goes to the next replica then.

mod answers;
mod errand;
mod ledger;
mod report;
mod told;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

pub(crate) use answers::{Answers, Said};
pub(crate) use errand::{DISCARDS, LEAVES};
pub(crate) use ledger::Ledger;
pub(crate) use report::Report;
pub(crate) use told::Callback;

use super::ACME_KEY;
use errand::Errand;

/// How long callers are waited for who have begun when the load is stopped.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is asked for, of whom, and how fast.
#[derive(Clone)]
pub(crate) struct Config {
    /// Begins every idempotency key and reference: what tells this load's verifications.
    pub(crate) name: String,
    /// Base URLs of the replicas.
    pub(crate) intakes: Vec<String>,
    pub(crate) uploads: Vec<String>,
    pub(crate) pace: Pace,
    /// No more verifications than this.
    pub(crate) most: usize,
    /// How long a caller waits for one answer.
    pub(crate) timeout: Duration,
    /// Whether connections are used again. One that idles while its service stops may be closed
    /// under a request that is on its way.
    pub(crate) keep_alive: bool,
    /// The members of the creation with this number, in place of the usual (`harness::order`).
    pub(crate) members: Arc<dyn Fn(usize) -> Value + Send + Sync>,
}

/// When the next verification begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Closed loop: when one of so many callers has submitted the one before.
    Callers(usize),
    /// Open loop: so many in a second, whatever became of those before.
    PerSecond(u32),
}

/// Load under way.
pub(crate) struct Load {
    common: Arc<Common>,
    stopping: watch::Sender<bool>,
    driver: tokio::task::JoinHandle<JoinSet<()>>,
}

/// What the callers share.
struct Common {
    config: Config,
    http: Client,
    ledger: Mutex<Ledger>,
}

impl Config {
    /// Four callers of these replicas, in the document flow, until the load is stopped.
    pub(crate) fn new(name: &str, intakes: Vec<String>, uploads: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            intakes,
            uploads,
            pace: Pace::Callers(4),
            most: usize::MAX,
            timeout: Duration::from_secs(30),
            keep_alive: true,
            members: Arc::new(|_| json!({})),
        }
    }
}

/// Members of a creation, so that of five verifications one goes to Assure's hosted page and one
/// logs in with an eID.
pub(crate) fn every_flow(number: usize) -> Value {
    let return_url = "https://app.acme.example/done";
    match number % 5 {
        3 => json!({ "flow": "capture", "document": null, "return_url": return_url }),
        4 => json!({
            "flow": "eid", "provider": "connect:idin", "process_type": null, "document": null,
            "return_url": return_url,
        }),
        _ => json!({}),
    }
}

impl Load {
    /// Sends the callers off.
    pub(crate) fn start(config: Config) -> Self {
        let http = Client::builder().redirect(Policy::none()).timeout(config.timeout);
        let http = http.pool_max_idle_per_host(if config.keep_alive { usize::MAX } else { 0 });
        let ledger = Mutex::new(Ledger::new(&config.name));
        let common = Arc::new(Common { config, http: http.build().unwrap(), ledger });
        let (stopping, stop) = watch::channel(false);
        let driver = match common.config.pace {
            Pace::Callers(count) => tokio::spawn(closed(common.clone(), count, stop)),
            Pace::PerSecond(rate) => tokio::spawn(open(common.clone(), rate, stop)),
        };
        Self { common, stopping, driver }
    }

    /// How many verifications have been asked for.
    pub(crate) fn asked(&self) -> usize {
        self.common.ledger().asked()
    }

    /// What has come of it so far.
    pub(crate) fn so_far(&self) -> Ledger {
        self.common.ledger().clone()
    }

    /// Lets nobody begin any more, waits for those who have, and tells what came of it.
    pub(crate) async fn stop(self) -> Ledger {
        // Of a load that has ended by itself nobody listens.
        let _ = self.stopping.send(true);
        self.ended().await
    }

    /// Waits until as many have gone through as were wanted.
    pub(crate) async fn ended(self) -> Ledger {
        let mut callers = self.driver.await.unwrap();
        let all = async { while callers.join_next().await.transpose().unwrap().is_some() {} };
        // Who is not back then has given up: the ledger says how far they got.
        let _ = timeout(PATIENCE, all).await;
        callers.shutdown().await;
        self.common.ledger().clone()
    }
}

impl Common {
    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Callers who begin the next one when they are done with one; those still at it at the stop.
async fn closed(common: Arc<Common>, count: usize, mut stop: watch::Receiver<bool>) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    for number in 0..common.config.most {
        if callers.len() == count {
            tokio::select! {
                done = callers.join_next() => done.expect("there are some").unwrap(),
                _ = stop.changed() => break,
            }
        }
        if *stop.borrow() {
            break;
        }
        callers.spawn(Errand::new(common.clone(), number).run());
    }
    callers
}

/// A new caller at every tick; those still at it at the stop.
async fn open(common: Arc<Common>, rate: u32, mut stop: watch::Receiver<bool>) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    let mut pace = interval(Duration::from_secs(1) / rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..common.config.most {
        tokio::select! {
            _ = pace.tick() => {}
            _ = stop.changed() => break,
        }
        callers.spawn(Errand::new(common.clone(), number).run());
    }
    callers
}
