//! Everything that runs for one test.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use async_nats::jetstream;
use futures_util::{StreamExt, TryStreamExt, future::join_all};
use proofline_broker::{Cluster, Options, Server};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::{
    Call, INTAKE, Member, NODES, NORMALISER, Plan, RECEIVER, SIMULATOR, UPLOAD, VERIFIER, Wiring,
    plan::{Addresses, tenants},
    soon,
};
use crate::harness::{
    ACME_KEY, Ask, Balancer, Broker, Build, Caller, End, Simulator, ends_in, servers,
};

/// A broker, the simulator, and services in any number. What is dropped first is declared first:
/// processes before the broker, the broker before the directory.
pub(crate) struct Fleet {
    members: Vec<Member>,
    pub(crate) broker: Mutex<Broker>,
    /// Its cables, of a fleet on a cluster.
    pub(crate) wiring: Wiring,
    pub(crate) nats: async_nats::Client,
    pub(crate) simulator: Simulator,
    http: Client,
    /// What callers and Assure know as the address of a program.
    doors: BTreeMap<&'static str, Balancer>,
    provisioning: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl Fleet {
    /// Starts the parts in an order in which each learns where those before it listen.
    pub(super) async fn start(plan: Plan) -> Self {
        // Another test may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = folder(&plan);
        let path = folder.path();
        fs::write(path.join("tenants.toml"), tenants()).unwrap();
        let mut known = Addresses::default();
        let wiring = Wiring::default();
        let (broker, mut members) = tokio::join!(
            broker(&plan, &wiring, path),
            start(&plan, SIMULATOR, &known, &wiring, path)
        );
        known.nats = broker.url();
        known.nats_ports = broker.ports();
        known.simulator = members[0].url.clone();
        let provisioning = plan.settings("proofline", &known, path);
        provision(&plan.build_of("proofline"), provisioning.clone()).await;
        let doors = if plan.is_balanced { doors().await } else { BTreeMap::new() };
        let address_of = |program: &str, members: &[Member]| {
            doors.get(program).map_or_else(|| members[0].url.clone(), |door| door.url.clone())
        };
        let (uploads, verifiers, receivers) = tokio::join!(
            start(&plan, UPLOAD, &known, &wiring, path),
            start(&plan, VERIFIER, &known, &wiring, path),
            start(&plan, RECEIVER, &known, &wiring, path),
        );
        known.receiver = address_of(RECEIVER, &receivers);
        known.upload = address_of(UPLOAD, &uploads);
        let intakes = start(&plan, INTAKE, &known, &wiring, path).await;
        known.intake = address_of(INTAKE, &intakes);
        let normalisers = start(&plan, NORMALISER, &known, &wiring, path).await;
        for started in [uploads, verifiers, receivers, intakes, normalisers] {
            members.extend(started);
        }

        let http = Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(30));
        let http = http.build().unwrap();
        let fleet = Self {
            members,
            nats: async_nats::connect(servers(&broker.url())).await.unwrap(),
            broker: Mutex::new(broker),
            wiring,
            simulator: Simulator {
                http: http.clone(),
                url: known.simulator,
                client_secret: "simulator-secret",
            },
            http,
            doors,
            provisioning,
            folder,
        };
        for member in &fleet.members {
            fleet.is_ready(member).await;
            fleet.joins(member);
        }
        fleet
    }

    /// The address of a program behind which all its processes are.
    pub(crate) fn door(&self, program: &str) -> String {
        self.doors[program].url.clone()
    }

    /// Gets no new connections any more from the door of its program.
    pub(crate) fn leaves(&self, member: &Member) {
        if let Some(door) = self.doors.get(member.program) {
            door.remove(&member.url);
        }
    }

    /// Gets its share of new connections.
    pub(crate) fn joins(&self, member: &Member) {
        if let Some(door) = self.doors.get(member.program) {
            door.add(&member.url);
        }
    }

    /// Provisions once more.
    pub(crate) async fn provisions(&self, build: &Build) {
        provision(build, self.provisioning.clone()).await;
    }

    /// Waits until it is ready.
    pub(crate) async fn is_ready(&self, member: &Member) {
        if member.admin_url.is_empty() {
            return;
        }
        soon(&format!("{} is ready", member.program), async || {
            let answer = self.http.get(format!("{}/readyz", member.admin_url)).ask().await;
            if answer.status == 200 { Ok(()) } else { Err(answer.body.to_string()) }
        })
        .await;
    }

    /// All processes of a program.
    pub(crate) fn all(&self, program: &str) -> Vec<&Member> {
        self.members.iter().filter(|member| member.program == program).collect()
    }

    /// The first process of a program.
    pub(crate) fn the(&self, program: &str) -> &Member {
        self.all(program)[0]
    }

    /// A caller of the first intake and the first upload.
    pub(crate) fn caller(&self) -> Caller {
        self.caller_of(0, 0)
    }

    /// A caller of these processes.
    pub(crate) fn caller_of(&self, intake: usize, upload: usize) -> Caller {
        let (intakes, uploads) = (self.all(INTAKE), self.all(UPLOAD));
        Caller {
            http: self.http.clone(),
            api: intakes[intake % intakes.len()].url.clone(),
            uploads: uploads[upload % uploads.len()].url.clone(),
            key: ACME_KEY,
        }
    }

    /// Every call that has reached the simulator, in the order of arrival.
    pub(crate) async fn calls(&self) -> Vec<Call> {
        let url = format!("{}/simulator/calls", self.simulator.url);
        let answer = self.http.get(url).ask().await.is(200);
        answer["calls"].as_array().unwrap().iter().map(Call::read).collect()
    }

    /// The faults in force at the simulator.
    pub(crate) async fn faults(&self) -> Vec<Value> {
        let url = format!("{}/simulator/faults", self.simulator.url);
        self.http.get(url).ask().await.is(200)["faults"].as_array().unwrap().clone()
    }

    /// The next so many calls of an operation go wrong.
    pub(crate) async fn next_go_wrong(&self, operation: &str, kind: Value, count: u64) {
        self.simulator.goes_wrong(operation, kind, json!({ "when": { "next": count } })).await;
    }

    /// Every token in circulation becomes unknown to Assure.
    pub(crate) async fn tokens_are_revoked(&self) {
        let url = format!("{}/simulator/tokens", self.simulator.url);
        self.http.delete(url).ask().await.says_nothing(204);
    }

    /// The dossiers that were made for a verification.
    pub(crate) async fn dossiers_of(&self, id: &str) -> Vec<Value> {
        let mut dossiers = self.simulator.dossiers().await;
        dossiers.retain(|dossier| dossier["externalReference"] == id);
        dossiers
    }

    /// The ends of a verification that a subscriber finds now.
    pub(crate) async fn ends_of(&self, id: &str) -> Vec<End> {
        let mut ends = ends_in(&self.nats).await;
        ends.retain(|end| end.event.verification_id == id);
        ends
    }

    /// Waits until nobody has anything left to do: every event was handled by all who handle it.
    pub(crate) async fn is_at_rest(&self) {
        let jetstream = jetstream::new(self.nats.clone());
        soon("everything is handled", async || {
            let stream = jetstream.get_stream("VERIFICATIONS").await.map_err(|e| e.to_string())?;
            let names: Vec<String> =
                stream.consumer_names().try_collect().await.map_err(|e| e.to_string())?;
            let infos = join_all(names.iter().map(|name| stream.consumer_info(name))).await;
            for info in infos {
                // One that a test made for itself may be gone by now.
                let Ok(info) = info else { continue };
                let is_ours = info.config.durable_name.is_some();
                let left = info.num_pending + info.num_ack_pending as u64;
                if is_ours && left > 0 {
                    return Err(format!("{} has {left} left", info.name));
                }
            }
            Ok(())
        })
        .await;
    }

    /// Waits for an event of any verification, such as `dossier-created`, from now on; whose it is.
    /// It is seen on its way to the log, and may not have got there yet.
    pub(crate) async fn told(&self, event: &str) -> impl Future<Output = String> + use<> {
        let subject = format!("proofline.v1.{event}.>");
        let mut told = self.nats.subscribe(subject).await.unwrap();
        // From here on nothing is missed.
        self.nats.flush().await.unwrap();
        async move {
            let event = told.next().await.expect("the subscription goes on");
            event.subject.rsplit('.').next().unwrap().to_owned()
        }
    }

    /// Waits until a call of this operation has come in, answered or not.
    pub(crate) async fn is_asked(&self, operation: &str) {
        soon(&format!("Assure is asked to {operation}"), async || {
            let calls = self.calls().await;
            if calls.iter().any(|call| call.is(operation)) {
                return Ok(());
            }
            Err(format!("{} other calls", calls.len()))
        })
        .await;
    }

    /// Where everything is written.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Every process of ours.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Where the broker keeps what it stores.
    pub(crate) fn broker_folder(&self) -> PathBuf {
        self.folder.path().join("nats")
    }

    /// Everything that any process has said so far.
    pub(crate) fn logs(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.members.iter().map(|member| (member.program, member.log()))
    }
}

impl Drop for Fleet {
    #[expect(clippy::print_stderr, reason = "whoever reads of a failed test wants to know why")]
    fn drop(&mut self) {
        // What is kept need not be told.
        if thread::panicking() && self.folder.path().starts_with(std::env::temp_dir()) {
            for (name, log) in self.logs() {
                eprintln!("──── {name} said:\n{log}");
            }
        }
    }
}

/// For each program that is called.
async fn doors() -> BTreeMap<&'static str, Balancer> {
    let programs = [INTAKE, UPLOAD, RECEIVER];
    let doors = join_all(programs.map(|_| Balancer::start())).await;
    programs.into_iter().zip(doors).collect()
}

async fn start(
    plan: &Plan,
    program: &'static str,
    known: &Addresses,
    wiring: &Wiring,
    folder: &Path,
) -> Vec<Member> {
    let build = plan.build_of(program);
    let members = (0..plan.count(program)).map(|number| {
        let mut known = known.clone();
        if plan.is_on_a_cluster && program != SIMULATOR {
            known.nats = wiring.urls_for(program, number, &known.nats_ports);
        }
        Member::start(program, &build, number, plan.settings(program, &known, folder), folder)
    });
    join_all(members).await
}

async fn broker(plan: &Plan, wiring: &Wiring, folder: &Path) -> Broker {
    let options = Options { dir: folder.join("nats"), ..Options::default() };
    if !plan.is_on_a_cluster {
        return Broker::One(Server::start(options).await.unwrap());
    }
    let detour = Some(wiring.between_nodes());
    let options = Options { sync_always: true, detour, ..options };
    Broker::Three(Cluster::start_with(options, NODES).await.unwrap())
}

fn folder(plan: &Plan) -> TempDir {
    let mut builder = tempfile::Builder::new();
    match &plan.kept_in {
        None => builder.prefix("proofline-fleet-").tempdir(),
        Some(parent) => {
            fs::create_dir_all(parent).unwrap();
            builder.prefix("run-").disable_cleanup(true).tempdir_in(parent)
        }
    }
    .unwrap()
}

async fn provision(build: &Build, settings: Vec<(&'static str, String)>) {
    soon("provisioned", async || {
        let mut proofline = build.program("proofline");
        let output = proofline.arg("provision").envs(settings.clone()).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // On a busy machine a server may take another for dead for a moment.
        assert!(output.status.success() || said.contains("peer offline"), "{said}");
        output.status.success().then_some(()).ok_or(said)
    })
    .await;
}
