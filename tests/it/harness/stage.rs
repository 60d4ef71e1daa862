//! Everything that runs for one test.

use std::{
    path::{Path, PathBuf},
    thread,
};

use async_nats::ConnectOptions;
use reqwest::{Client, redirect::Policy};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::{
    ACME_KEY, Ask, Caller, Guard, OTHER_KEY, PATIENCE, Process, Scene, Simulator,
    bus::Broker,
    eventually,
    given::Given,
    mailbox::Mailbox,
    process::Doors,
    program,
    scene::{Addresses, CLIENT_SECRET, THEIR_CLIENT_SECRET, THEIR_SIMULATOR},
    servers,
    then::Then,
    when::When,
};

/// The five services.
pub(crate) const SERVICES: [&str; 5] = [
    "proofline-intake",
    "proofline-upload",
    "proofline-verifier",
    "proofline-callback-receiver",
    "proofline-result-normaliser",
];

/// A broker, the simulator, the five services, and who talks to them. What is dropped first is
/// declared first: processes before the broker, the broker before the directory.
pub(crate) struct Stage {
    /// The simulators first, then the services.
    processes: Vec<Process>,
    pub(crate) broker: Mutex<Broker>,
    /// How to be let in by the broker, where it asks.
    pub(crate) guard: Option<Guard>,
    pub(crate) nats: async_nats::Client,
    /// Speaks for the tenant `acme`.
    pub(crate) caller: Caller,
    /// Speaks for the tenant `other`.
    pub(crate) stranger: Caller,
    pub(crate) simulator: Simulator,
    /// Assure as the tenant `other` has it, where it has an account of its own.
    pub(crate) their_simulator: Option<Simulator>,
    /// Where callbacks are caught, if they are.
    pub(crate) mailbox: Option<Mailbox>,
    folder: TempDir,
}

impl Stage {
    /// The usual stage.
    pub(crate) async fn start() -> Self {
        Scene::new().start().await
    }

    /// Starts the parts in an order in which each learns where those before it listen, so that
    /// nobody has to guess a free port.
    pub(super) async fn set(scene: Scene) -> Self {
        // Another test may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::Builder::new().prefix("proofline-test-").tempdir().unwrap();
        let path = folder.path();
        let mut known = Addresses::default();
        let ((broker, guard), simulator) =
            tokio::join!(scene.bus.start(path), start(&scene, "assure-simulator", &known, path));
        known.nats = broker.url();
        known.guard = guard;
        known.simulator = simulator.url.clone();
        let mut processes = vec![simulator];
        if scene.has_own_account {
            processes.push(start(&scene, THEIR_SIMULATOR, &known, path).await);
            known.their_simulator = processes[1].url.clone();
        }
        scene.write_tenants(&known, path);
        provision(&scene, &known, path).await;

        let (upload, verifier, receiver) = tokio::join!(
            start(&scene, "proofline-upload", &known, path),
            start(&scene, "proofline-verifier", &known, path),
            start(&scene, "proofline-callback-receiver", &known, path),
        );
        let mailbox = if scene.catches_callbacks { Some(Mailbox::open().await) } else { None };
        known.public = mailbox.as_ref().map_or(receiver.url.clone(), |mailbox| mailbox.url.clone());
        known.uploads = upload.url.clone();
        let intake = start(&scene, "proofline-intake", &known, path).await;
        known.api = intake.url.clone();
        let normaliser = start(&scene, "proofline-result-normaliser", &known, path).await;

        let http = Client::builder().redirect(Policy::none()).timeout(PATIENCE).build().unwrap();
        let (api, uploads) = (known.api, known.uploads);
        processes.extend([intake, upload, verifier, receiver, normaliser]);
        let simulator = |url, client_secret| Simulator { http: http.clone(), url, client_secret };
        let caller = Caller { http: http.clone(), api, uploads, key: ACME_KEY };
        // An operator, where not everybody may do anything.
        let login = known.guard.as_ref().map_or_else(ConnectOptions::new, |g| g.login("operator"));
        let stage = Self {
            nats: login.connect(servers(&known.nats)).await.unwrap(),
            guard: known.guard,
            processes,
            broker: Mutex::new(broker),
            stranger: Caller { key: OTHER_KEY, ..caller.clone() },
            caller,
            simulator: simulator(known.simulator, CLIENT_SECRET),
            their_simulator: scene
                .has_own_account
                .then(|| simulator(known.their_simulator, THEIR_CLIENT_SECRET)),
            mailbox,
            folder,
        };
        for service in SERVICES {
            stage.becomes_ready(service).await;
        }
        stage
    }

    /// The three words with which a test reads.
    pub(crate) fn acts(&self) -> (Given<'_>, When<'_>, Then<'_>) {
        (Given(self), When(self), Then(self))
    }

    /// One of the processes.
    pub(crate) fn process(&self, name: &str) -> &Process {
        self.processes.iter().find(|process| process.name == name).unwrap()
    }

    /// What `/readyz` of a service answers: its status, or none.
    pub(crate) async fn readiness(&self, service: &str) -> Option<u16> {
        let url = format!("{}/readyz", self.process(service).admin_url);
        Some(self.caller.http.get(url).send().await.ok()?.status().as_u16())
    }

    pub(crate) async fn becomes_ready(&self, service: &str) {
        self.readiness_becomes(service, 200).await;
    }

    pub(crate) async fn readiness_becomes(&self, service: &str, wanted: u16) {
        eventually(&format!("/readyz of {service} answers {wanted}"), async || {
            let url = format!("{}/readyz", self.process(service).admin_url);
            let answer = self.caller.http.get(url).ask().await;
            if answer.status == wanted { Ok(()) } else { Err(answer.body.to_string()) }
        })
        .await;
    }

    /// Stops every service as an operator would, and waits until each has.
    pub(crate) async fn services_stop(&self) {
        for service in SERVICES {
            self.process(service).terminate().await;
        }
        for service in SERVICES {
            assert!(self.process(service).ended().await.success(), "{service}");
        }
    }

    /// Everything that any process has said so far, by process.
    pub(crate) fn logs(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.processes.iter().map(|process| (process.name, process.log()))
    }

    /// Where this stage keeps its files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the broker keeps what it stores.
    pub(crate) fn broker_folder(&self) -> PathBuf {
        self.folder.path().join("nats")
    }
}

impl Drop for Stage {
    #[expect(clippy::print_stderr, reason = "whoever reads of a failed test wants to know why")]
    fn drop(&mut self) {
        if thread::panicking() {
            for (name, log) in self.logs() {
                eprintln!("──── {name} said:\n{log}");
            }
        }
    }
}

async fn start(scene: &Scene, name: &'static str, known: &Addresses, folder: &Path) -> Process {
    let is_http = ["proofline-intake", "proofline-upload", "proofline-callback-receiver"];
    let is_simulator = ["assure-simulator", THEIR_SIMULATOR].contains(&name);
    let doors = Doors { public: is_simulator || is_http.contains(&name), admin: !is_simulator };
    Process::start(name, doors, &scene.settings(name, known, folder), folder).await
}

async fn provision(scene: &Scene, known: &Addresses, folder: &Path) {
    let settings = scene.settings("proofline", known, folder);
    let output = program("proofline").arg("provision").envs(settings).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
