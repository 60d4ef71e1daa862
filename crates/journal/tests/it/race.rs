//! Twenty writers on the same fifty verifications.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use proofline_events::{EventType, Recorded, Service, VerificationKey, v1::Depiction};
use proofline_journal::{ExecuteError, Journal, SignalSink, Stored};
use proofline_verification::Command;
use tokio::{sync::Barrier, task::JoinSet, time::Instant};

use crate::harness::{
    callback, conclude, connect, dossier, eventually, fresh_key, now, pause, process, request,
};

const VERIFICATIONS: usize = 50;
const WRITERS: usize = 20;
const STATUSES: [&str; 5] = ["accepted", "rejected", "inconclusive", "canceled", "failed"];
/// A leader's death costs a cluster some seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// A race under way.
pub(crate) struct Race {
    keys: Arc<[VerificationKey]>,
    writers: JoinSet<Acknowledged>,
    turns: Arc<AtomicUsize>,
}

/// What one writer was told is durable.
#[derive(Default)]
struct Acknowledged {
    events: Vec<Recorded>,
    signals: Vec<(VerificationKey, String)>,
}

struct Writer {
    number: usize,
    journal: Journal,
    sink: SignalSink,
    acknowledged: Acknowledged,
}

impl Race {
    pub(crate) async fn begin(urls: &[String]) -> Self {
        let journal = Journal::new(connect(urls).await, Service::Intake);
        let keys: Arc<[_]> = (0..VERIFICATIONS).map(|_| fresh_key()).collect();
        join_all(keys.iter().map(async |key| {
            for command in [request(), dossier(), process()] {
                persist(&journal, key, command).await;
            }
        }))
        .await;
        let (start, turns) = (Arc::new(Barrier::new(WRITERS)), Arc::new(AtomicUsize::new(0)));
        let mut writers = JoinSet::new();
        for number in 0..WRITERS {
            let connection = connect(urls).await;
            let writer = Writer {
                number,
                journal: Journal::new(connection.clone(), Service::ResultNormaliser),
                sink: SignalSink::new(&connection, Service::CallbackReceiver),
                acknowledged: Acknowledged::default(),
            };
            writers.spawn(writer.run(Arc::clone(&keys), Arc::clone(&start), Arc::clone(&turns)));
        }
        Self { keys, writers, turns }
    }

    /// Waits until the writers have had this share of their turns.
    pub(crate) async fn is_run_to(&self, percent: usize) {
        let wanted = VERIFICATIONS * WRITERS * percent / 100;
        eventually("run so far", async || match self.turns.load(Ordering::Relaxed) {
            turns if turns >= wanted => Ok(()),
            turns => Err(format!("{turns} of {wanted} turns")),
        })
        .await;
    }

    pub(crate) fn is_still_on(&self) {
        let turns = self.turns.load(Ordering::Relaxed);
        assert!(turns < VERIFICATIONS * WRITERS, "the race was over too early to show anything");
    }

    pub(crate) async fn has_one_end_each_and_lost_nothing(self, journal: Journal) {
        let acknowledged = self.writers.join_all().await;
        for key in self.keys.iter() {
            let log = eventually("read", async || {
                journal.timeline(key, 0).await.map_err(|error| error.to_string())
            })
            .await;
            follows_the_rules(&log);
            let ids: HashSet<_> = log.iter().map(|event| &event.envelope.id).collect();
            assert_eq!(ids.len(), log.len(), "a fact stands twice: {log:#?}");
            for told in &acknowledged {
                for event in told.events.iter().filter(|event| event.key == *key) {
                    assert!(log.contains(event), "lost: {event:?}");
                }
                for (_, id) in told.signals.iter().filter(|(of, _)| of == key) {
                    assert!(ids.contains(id), "lost: {id}");
                }
            }
        }
        let signals: usize = acknowledged.iter().map(|told| told.signals.len()).sum();
        assert_eq!(signals, VERIFICATIONS * WRITERS / 2);
    }
}

impl Writer {
    /// All at once on each verification: ten conclude, each with an outcome of its own; ten signal,
    /// and cancel or upload besides.
    async fn run(
        mut self,
        keys: Arc<[VerificationKey]>,
        start: Arc<Barrier>,
        turns: Arc<AtomicUsize>,
    ) -> Acknowledged {
        for key in keys.iter() {
            start.wait().await;
            match self.number % 4 {
                0 | 2 => {
                    let status = STATUSES[self.number / 2 % STATUSES.len()];
                    self.carry_out(key, conclude(status)).await;
                }
                1 => {
                    self.carry_out(key, Command::Cancel).await;
                    self.signal(key).await;
                }
                _ => {
                    self.carry_out(key, self.upload()).await;
                    self.signal(key).await;
                }
            }
            turns.fetch_add(1, Ordering::Relaxed);
        }
        self.acknowledged
    }

    /// A claim that is over at once, so that the next upload may begin.
    fn upload(&self) -> Command {
        let upload_id = self.number.to_string();
        Command::StartUpload { upload_id, depiction: Depiction::Front, until: now() }
    }

    async fn carry_out(&mut self, key: &VerificationKey, command: Command) {
        let appended = persist(&self.journal, key, command).await;
        self.acknowledged.events.extend(appended);
    }

    async fn signal(&mut self, key: &VerificationKey) {
        let id = format!("{}.callback.{}", key.id, self.number);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.sink.append(key, callback(self.number), now()).await {
                Ok(Stored::New | Stored::Repeat) => break,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            pause().await;
        }
        self.acknowledged.signals.push((key.clone(), id));
    }
}

/// Message ids alone would keep a second end out for some minutes. What else a decision rests on,
/// that nothing else was appended since it read, only the guard keeps true.
fn follows_the_rules(log: &[Recorded]) {
    let events: Vec<_> = log.iter().map(|event| event.event.event_type()).collect();
    let behind = |event| events.split(move |e| *e == event).skip(1).collect::<Vec<_>>();
    let [behind_the_end] = behind(EventType::ProcessFinished)[..] else {
        panic!("not one end: {events:?}");
    };
    let is_signal = |event: &EventType| *event == EventType::CompletionSignalled;
    assert!(behind_the_end.iter().all(is_signal), "changed after its end: {events:?}");
    for behind_the_cancellation in behind(EventType::CancellationRequested) {
        let is_upload = behind_the_cancellation.contains(&EventType::UploadStarted);
        assert!(!is_upload, "an upload after the cancellation: {events:?}");
    }
}

/// Asks again for as long as nobody knows, as services do. A refusal is an answer.
async fn persist(journal: &Journal, key: &VerificationKey, command: Command) -> Vec<Recorded> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match journal.execute(key, command.clone(), now()).await {
            Ok(executed) => return executed.appended,
            Err(ExecuteError::Refused(_)) => return Vec::new(),
            Err(ExecuteError::Journal(error)) => assert!(Instant::now() < deadline, "{error}"),
        }
        pause().await;
    }
}
