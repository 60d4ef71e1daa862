//! What a server is started with, and the configuration file made of it.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest message the servers take: a sealed document of 8 MiB and its headers. NATS' own default, 1 MiB,
/// is too small for a result.
pub const MAX_PAYLOAD_BYTES: usize = 8 * 1024 * 1024 + 64 * 1024;

/// What a [`Server`](crate::Server) is started with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where it keeps its data, configuration and log. Made if missing; kept when the server goes.
    pub dir: PathBuf,
    /// The port on 127.0.0.1 for clients; a free one when `None`.
    pub port: Option<u16>,
    /// Sync every message to disk before it is acknowledged. Without it a crash of the machine can lose
    /// acknowledged messages; a crash of the server cannot.
    pub sync_always: bool,
    /// Lines added to the configuration file: accounts, users, limits.
    pub extra: String,
    /// A configuration file to use as it is, instead of one made of the settings above.
    pub configuration: Option<Configuration>,
    /// Who stands between the members of a cluster. They then tell neither each other nor clients of any
    /// other way. Not with a `configuration`.
    pub detour: Option<Detour>,
}

/// Where a member of a cluster is told to find another: a proxy, for a test that cuts the network.
#[derive(Clone)]
pub struct Detour(Arc<dyn Fn(usize, usize, u16) -> u16 + Send + Sync>);

impl Detour {
    /// `via(from, to, port)` is the port on 127.0.0.1 by which member `from` reaches `port` of member `to`.
    pub fn new(via: impl Fn(usize, usize, u16) -> u16 + Send + Sync + 'static) -> Self {
        Self(Arc::new(via))
    }

    /// Where member `from` is told to find the others.
    pub(crate) fn routes(&self, from: usize, ports: &[u16]) -> Vec<u16> {
        let others = ports.iter().enumerate().filter(|(to, _)| *to != from);
        others.map(|(to, port)| (self.0)(from, to, *port)).collect()
    }
}

impl fmt::Debug for Detour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detour").finish_non_exhaustive()
    }
}

/// A configuration file of a deployment, and what it is told by its environment.
///
/// What differs from server to server is set here: `NATS_SERVER_NAME`, `NATS_LISTEN`,
/// `NATS_MONITORING_LISTEN`, `NATS_STORE_DIR`, `NATS_CLUSTER_LISTEN` and `NATS_ROUTES`.
#[derive(Clone, Default)]
pub struct Configuration {
    /// The file; what it includes is found beside it.
    pub file: PathBuf,
    /// The other variables of the file: passwords, certificates.
    pub environment: Vec<(String, String)>,
    /// `user:password` of the routes between the members of a cluster.
    pub route_login: String,
}

impl fmt::Debug for Configuration {
    /// Without what it is told: there are passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").field("file", &self.file).finish_non_exhaustive()
    }
}

/// The parts of a cluster member's configuration that a single server lacks.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) cluster_port: u16,
    /// Where it finds the others, and itself where there is no detour.
    pub(crate) routes: Vec<u16>,
}

/// The files of a server, all in its directory.
pub(crate) struct Layout<'a>(pub(crate) &'a Path);

impl Layout<'_> {
    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("nats-server.conf")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("nats-server.log")
    }

    pub(crate) fn stderr(&self) -> PathBuf {
        self.0.join("nats-server.err")
    }

    pub(crate) fn pid(&self) -> PathBuf {
        self.0.join("nats-server.pid")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Where the server writes which ports it listens on. Emptied before each start.
    pub(crate) fn ports(&self) -> PathBuf {
        self.0.join("ports")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }
}

/// What a deployment's configuration file is told of this server.
pub(crate) fn environment(
    configuration: &Configuration,
    layout: &Layout<'_>,
    port: u16,
    member: Option<&Member>,
) -> Vec<(String, String)> {
    // A server on its own is a cluster of one, which lets itself be found by nobody.
    let name = member.map_or("broker", |member| &member.name);
    let cluster_port = member.map_or(-1, |member| i32::from(member.cluster_port));
    let ports = member.map_or(&[][..], |member| &member.routes);
    let login = &configuration.route_login;
    let routes: Vec<_> =
        ports.iter().map(|port| format!("\"nats-route://{login}@127.0.0.1:{port}\"")).collect();
    let own = [
        ("NATS_SERVER_NAME", name.to_owned()),
        ("NATS_LISTEN", format!("\"127.0.0.1:{port}\"")),
        ("NATS_MONITORING_LISTEN", "\"127.0.0.1:-1\"".to_owned()),
        ("NATS_STORE_DIR", format!("{:?}", layout.store())),
        ("NATS_CLUSTER_LISTEN", format!("\"127.0.0.1:{cluster_port}\"")),
        ("NATS_ROUTES", format!("[{}]", routes.join(", "))),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    own.chain(configuration.environment.iter().cloned()).collect()
}

/// The text of the configuration file.
pub(crate) fn render(options: &Options, port: u16, member: Option<&Member>) -> String {
    let layout = Layout(&options.dir);
    let name = member.map_or("broker", |member| &member.name);
    let sync = if options.sync_always { ", sync_interval: always" } else { "" };
    let mut text = format!(
        "server_name: {name}\n\
         listen: \"127.0.0.1:{port}\"\n\
         http: \"127.0.0.1:-1\"\n\
         ports_file_dir: {ports:?}\n\
         pid_file: {pid:?}\n\
         log_file: {log:?}\n\
         max_payload: {MAX_PAYLOAD_BYTES}\n\
         jetstream {{ store_dir: {store:?}{sync} }}\n",
        ports = layout.ports(),
        pid = layout.pid(),
        log = layout.log(),
        store = layout.store(),
    );
    if let Some(member) = member {
        let routes: Vec<_> =
            member.routes.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        // Where nobody listens, so that nobody gets around a detour.
        let secrecy = match options.detour {
            Some(_) => ", no_advertise: true, advertise: \"127.0.0.1:1\"",
            None => "",
        };
        let _ = writeln!(
            text,
            "cluster {{ name: proofline, listen: \"127.0.0.1:{}\", routes: [{}]{secrecy} }}",
            member.cluster_port,
            routes.join(", ")
        );
    }
    text.push_str(&options.extra);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_a_cluster_knows_every_route() {
        let options = Options {
            dir: "/data/one".into(),
            sync_always: true,
            extra: "debug: true".into(),
            ..Options::default()
        };
        let member = Member { name: "n1".into(), cluster_port: 7001, routes: vec![7001, 7002] };
        let text = render(&options, 4222, Some(&member));
        assert!(text.contains("server_name: n1\nlisten: \"127.0.0.1:4222\"\n"));
        assert!(
            text.contains("jetstream { store_dir: \"/data/one/store\", sync_interval: always }")
        );
        assert!(text.contains("routes: [\"nats://127.0.0.1:7001\", \"nats://127.0.0.1:7002\"]"));
        assert!(text.ends_with("debug: true\n"));
    }
}
