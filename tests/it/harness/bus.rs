//! The broker of a stage: one that anybody may do anything on, or as production has it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use async_nats::{ConnectOptions, ServerAddr};
use proofline_broker::{Cluster, Configuration, Options, Server};

use super::certificates;

/// The configuration of production, below the root of the workspace.
const PRODUCTION: &str = "deploy/nats/production";

/// Whose passwords the configuration takes from its environment.
const USERS: [&str; 12] = [
    "sys",
    "provision",
    "intake",
    "upload",
    "verifier",
    "result-normaliser",
    "operator",
    "keys",
    "backup",
    "restore",
    "callback-receiver",
    "other-crm",
];

/// The one password that is given as a hash, of `planted-acme-billing`.
const HASH: &str = "$2a$10$abcdefghijklmnopqrstuuAqVXrtAmmTJIrX.In4cszoIz7ScMzAG";

/// Which broker a stage has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Bus {
    /// One server that anybody may do anything on.
    #[default]
    Open,
    /// The same, and it syncs each message to disk before it acknowledges it.
    Synced,
    /// One server as production has it, and a second tenant, added as its README says.
    Alone,
    /// Three servers as production has them.
    Cluster,
}

/// A running broker.
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
pub(crate) enum Broker {
    One(Server),
    Three(Cluster),
}

/// How to be let in.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    ca_file: PathBuf,
}

impl Bus {
    pub(super) async fn start(self, folder: &Path) -> (Broker, Option<Guard>) {
        let sync_always = self == Self::Synced;
        let options = Options { dir: folder.join("nats"), sync_always, ..Options::default() };
        if matches!(self, Self::Open | Self::Synced) {
            return (Broker::One(Server::start(options).await.unwrap()), None);
        }
        let certificates = certificates::make(&folder.join("tls"));
        let guard = Guard { ca_file: certificates.authority.clone() };
        let file = match self {
            Self::Alone => with_a_second_tenant(&folder.join("nats-conf")).join("one-server.conf"),
            Self::Open | Self::Synced | Self::Cluster => production().join("nats-server.conf"),
        };
        let mut environment = vec![
            ("NATS_TLS_CERT_FILE".to_owned(), text(&certificates.certificate)),
            ("NATS_TLS_KEY_FILE".to_owned(), text(&certificates.key)),
            ("NATS_TLS_CA_FILE".to_owned(), text(&certificates.authority)),
            ("NATS_ROUTE_PASSWORD".to_owned(), "planted-route".to_owned()),
            ("NATS_ACME_BILLING_PASSWORD".to_owned(), HASH.to_owned()),
        ];
        environment.extend(USERS.iter().map(|user| (variable(user), password(user))));
        let configuration =
            Configuration { file, environment, route_login: "route:planted-route".to_owned() };
        let options = Options { configuration: Some(configuration), ..options };
        let broker = match self {
            Self::Open | Self::Synced | Self::Alone => {
                Broker::One(Server::start(options).await.unwrap())
            }
            Self::Cluster => Broker::Three(Cluster::start_with(options, 3).await.unwrap()),
        };
        (broker, Some(guard))
    }
}

impl Broker {
    /// Where clients find it, comma-separated.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::One(server) => server.url(),
            Self::Three(cluster) => cluster.urls().join(","),
        }
    }

    /// How many replicas there may be.
    pub(crate) fn replicas(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Three(_) => 3,
        }
    }

    /// Where it tells about itself, or one of its servers does.
    pub(crate) fn monitoring_url(&self) -> String {
        match self {
            Self::One(server) => server.monitoring_url(),
            Self::Three(cluster) => cluster.member(0).monitoring_url(),
        }
    }

    /// The ports for clients, server by server.
    pub(crate) fn ports(&self) -> Vec<u16> {
        match self {
            Self::One(server) => vec![server.port()],
            Self::Three(cluster) => (0..3).map(|i| cluster.member(i).port()).collect(),
        }
    }

    /// What its servers have said so far.
    pub(crate) fn logs(&self) -> Vec<String> {
        match self {
            Self::One(server) => vec![server.log().unwrap()],
            Self::Three(cluster) => (0..3).map(|i| cluster.member(i).log().unwrap()).collect(),
        }
    }

    /// The servers, of a broker that has three.
    pub(crate) fn the_cluster(&mut self) -> &mut Cluster {
        match self {
            Self::Three(cluster) => cluster,
            Self::One(_) => panic!("there is one"),
        }
    }

    /// Kills the server, of a broker that has one.
    pub(crate) async fn kill(&mut self) {
        self.the_server().kill().await.unwrap();
    }

    /// Stops it as an operator would.
    pub(crate) async fn stop(&mut self) {
        self.the_server().stop().await.unwrap();
    }

    /// Starts it again.
    pub(crate) async fn restart(&mut self) {
        self.the_server().restart().await.unwrap();
    }

    fn the_server(&mut self) -> &mut Server {
        match self {
            Self::One(server) => server,
            Self::Three(_) => panic!("there are three"),
        }
    }
}

impl Guard {
    /// What a program is told.
    pub(super) fn settings(&self, program: &str) -> [(&'static str, String); 3] {
        let user = match program.trim_start_matches("proofline-") {
            "proofline" => "provision",
            service => service,
        };
        self.settings_of(user)
    }

    /// What a program is told that is to be this user.
    pub(crate) fn settings_of(&self, user: &str) -> [(&'static str, String); 3] {
        [
            ("PROOFLINE_NATS_USER", user.to_owned()),
            ("PROOFLINE_NATS_PASSWORD", password(user)),
            ("PROOFLINE_NATS_CA_FILE", text(&self.ca_file)),
        ]
    }

    /// How this user connects.
    pub(crate) fn login(&self, user: &str) -> ConnectOptions {
        ConnectOptions::with_user_and_password(user.to_owned(), password(user))
            .name(user)
            .custom_inbox_prefix(format!("_INBOX_{user}"))
            .add_root_certificates(self.ca_file.clone())
            .require_tls(true)
            .request_timeout(Some(Duration::from_secs(2)))
    }
}

/// The servers of a comma-separated list.
pub(crate) fn servers(url: &str) -> Vec<ServerAddr> {
    url.split(',').map(|url| url.parse().unwrap()).collect()
}

pub(crate) fn password(user: &str) -> String {
    format!("planted-{user}")
}

fn variable(user: &str) -> String {
    format!("NATS_{}_PASSWORD", user.to_uppercase().replace('-', "_"))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The folder, from whichever package this is compiled into.
fn production() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = package.ancestors().map(|folder| folder.join(PRODUCTION)).find(|it| it.is_dir());
    found.expect("the configuration of production is above this package")
}

/// The configuration of production with the blocks of the tenant `ACME` once more, for the
/// subscriber `crm` of the tenant `OTHER`.
fn with_a_second_tenant(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    for entry in fs::read_dir(production()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    let file = folder.join("accounts.conf");
    let (mut copied, mut block) = (String::new(), None::<String>);
    for line in fs::read_to_string(&file).unwrap().split_inclusive('\n') {
        copied.push_str(line);
        if line.contains("── tenant ACME (") {
            block = Some(String::new());
        } else if line.contains("── end") {
            copied.push_str(&block.take().unwrap());
        } else if let Some(block) = &mut block {
            let names = [("ACME_BILLING", "OTHER_CRM"), ("acme-billing", "other-crm")];
            let names = names.into_iter().chain([("ACME", "OTHER")]);
            let line = names.fold(line.to_owned(), |line, (from, to)| line.replace(from, to));
            block.push_str(&line);
        }
    }
    fs::write(&file, copied).unwrap();
    let file = folder.join("server.conf");
    let server = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{server}\ntrace: true\nmax_traced_msg_len: 64\n")).unwrap();
    folder.to_owned()
}
