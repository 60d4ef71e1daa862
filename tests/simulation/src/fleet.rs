//! The processes of all services, as the product has them: only their edges are ours.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{Request, StatusCode},
};
use proofline_assure::Transport;
use proofline_journal::{Connection, worker::Workers};
use proofline_settings::{Reader, Source};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::{
    assure::AssureWire,
    dice::pass,
    jetstream::Wire,
    process::{Kind, Process},
    world::World,
};

/// How many replicas each service has.
const REPLICAS: usize = 2;
/// A process that is told to stop is gone within this.
const GONE_WITHIN: Duration = Duration::from_secs(10);
/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(150);

/// Where the processes are.
#[derive(Debug, Default)]
pub(crate) struct Fleet(Mutex<BTreeMap<(Kind, usize), Running>>);

#[derive(Debug)]
struct Running {
    process: Arc<Process>,
    life: u32,
    router: Option<Router>,
}

/// An HTTP answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Fleet {
    pub(crate) fn start_all(&self, world: &Arc<World>) {
        for kind in Kind::ALL {
            for slot in 0..REPLICAS {
                self.start(world, kind, slot, 1);
            }
        }
    }

    fn start(&self, world: &Arc<World>, kind: Kind, slot: usize, life: u32) {
        let process = Arc::new(Process::new(kind, slot, life));
        world.trace.say(|| format!("{process} starts"));
        let router = begin(world, &process);
        let running = Running { process, life, router };
        self.0.lock().expect("no panic while held").insert((kind, slot), running);
    }

    /// Lets go of all services, which hold the world that holds them.
    pub(crate) fn disband(&self) {
        self.0.lock().expect("no panic while held").clear();
    }

    /// Starts another in the place of one that has died, after a while.
    pub(crate) fn replace(&self, world: Arc<World>, process: &Process, after: Duration) {
        let place = (process.kind, process.slot);
        let life = self.0.lock().expect("no panic while held").get(&place).map_or(1, |r| r.life);
        tokio::spawn(async move {
            pass(after).await;
            world.fleet.start(&world, place.0, place.1, life + 1);
        });
    }

    /// Tells one process to stop, as an orchestrator does, and starts another.
    pub(crate) fn roll(&self, world: &Arc<World>) {
        let kind = *world.dice.pick(&Kind::ALL);
        let slot = usize::try_from(world.dice.number(0..REPLICAS as u64)).unwrap_or(0);
        let process = {
            let mut all = self.0.lock().expect("no panic while held");
            let Some(running) = all.get_mut(&(kind, slot)) else { return };
            if running.process.is_dead() || running.process.shutdown.is_cancelled() {
                return;
            }
            running.router = None;
            Arc::clone(&running.process)
        };
        world.trace.say(|| format!("{process} is told to stop"));
        process.shutdown.cancel();
        let world = Arc::clone(world);
        tokio::spawn(async move {
            pass(GONE_WITHIN).await;
            world.kill(&process);
        });
    }

    /// Sends a request to some replica. `None` when there was no answer.
    pub(crate) async fn request(
        &self,
        world: &World,
        kind: Kind,
        request: Request<Body>,
    ) -> Option<Answer> {
        let there: Vec<_> = {
            let all = self.0.lock().expect("no panic while held");
            let there = all.iter().filter(|((of, _), r)| *of == kind && !r.process.is_dead());
            let there =
                there.filter_map(|(_, r)| Some((Arc::clone(&r.process), r.router.clone()?)));
            there.collect()
        };
        if there.is_empty() {
            pass(Duration::from_millis(20)).await;
            return None;
        }
        let (process, router) = world.dice.pick(&there).clone();
        let patience = match world.happens(world.profile().hang_up) {
            true => world.dice.milliseconds(0..3000),
            false => PATIENCE,
        };
        let answering = timeout(patience, async {
            let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
            let (head, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.ok()?;
            Some(Answer { status: head.status, body })
        });
        tokio::select! {
            biased;
            () = process.died() => None,
            answer = answering => answer.ok().flatten(),
        }
    }
}

/// Begins a service; its routes, if it has some.
fn begin(world: &Arc<World>, process: &Arc<Process>) -> Option<Router> {
    let (for_bus, for_assure) = (Arc::clone(process), Arc::clone(process));
    let bus = Arc::new(Wire { world: Arc::clone(world), process: for_bus });
    let connection = Connection::over(bus);
    let assure = Arc::new(AssureWire { world: Arc::clone(world), process: for_assure });
    let transport = move || Arc::clone(&assure) as Arc<dyn Transport>;
    let shutdown = process.shutdown.clone();
    let settings = settings(world.profile().deletes_after);
    let tasks = TaskTracker::new();
    match process.kind {
        Kind::Intake => {
            let settings = settings.intake.clone();
            Some(proofline_intake::router(settings, &connection, &transport, tasks, shutdown))
        }
        Kind::Upload => {
            let settings = settings.upload.clone();
            Some(proofline_upload::router(settings, &connection, &transport, tasks, &shutdown))
        }
        Kind::CallbackReceiver => {
            let settings = settings.callback_receiver.clone();
            Some(proofline_callback_receiver::router(settings, &connection))
        }
        Kind::Verifier => {
            let settings = settings.verifier.clone();
            run(proofline_verifier::workers(settings, &connection, &transport, &shutdown));
            None
        }
        Kind::ResultNormaliser => {
            let settings = settings.result_normaliser.clone();
            run(proofline_result_normaliser::workers(settings, &connection, &transport, shutdown));
            None
        }
    }
}

fn run(workers: Workers) {
    tokio::spawn(workers.finished());
}

struct Settings {
    intake: proofline_intake::Settings,
    upload: proofline_upload::Settings,
    callback_receiver: proofline_callback_receiver::Settings,
    verifier: proofline_verifier::Settings,
    result_normaliser: proofline_result_normaliser::Settings,
}

/// SHA-256 of "demo-key".
const TENANTS: &str = r#"
[tenants.demo]
api_key_sha256 = ["c48a01f49fd0f2cc404bc3cbbc80e91457a3d41bb429a695243de4c61794155c"]
web_origins = ["https://app.demo.example"]
"#;

/// Read once, the way the programs read theirs.
fn settings(deletes_after: bool) -> &'static Settings {
    static SETTINGS: [OnceLock<Settings>; 2] = [OnceLock::new(), OnceLock::new()];
    SETTINGS[usize::from(deletes_after)].get_or_init(|| {
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        std::fs::write(file.path(), TENANTS).expect("and written");
        let path = file.path().to_str().expect("of plain letters");
        let key = "sim:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let source = Source::from_pairs([
            ("PROOFLINE_TENANTS_FILE", path),
            ("PROOFLINE_KEYS", key),
            ("PROOFLINE_CALLBACK_GRACE", "20s"),
            ("PROOFLINE_RECONCILE_INTERVAL", "10s"),
            ("ASSURE_BASE_URL", "http://assure.example"),
            ("ASSURE_TOKEN_URL", "http://assure.example/token"),
            ("ASSURE_CLIENT_ID", "simulation"),
            ("ASSURE_CLIENT_SECRET", "secret"),
            ("ASSURE_DELETE_AFTER", if deletes_after { "30s" } else { "" }),
        ]);
        Settings {
            intake: read(&source, proofline_intake::Settings::read),
            upload: read(&source, proofline_upload::Settings::read),
            callback_receiver: read(&source, proofline_callback_receiver::Settings::read),
            verifier: read(&source, proofline_verifier::Settings::read),
            result_normaliser: read(&source, proofline_result_normaliser::Settings::read),
        }
    })
}

fn read<S>(source: &Source, of: fn(&mut Reader) -> Option<S>) -> S {
    let mut reader = Reader::new(source);
    let settings = of(&mut reader);
    reader.finish(settings).expect("these settings are right")
}
