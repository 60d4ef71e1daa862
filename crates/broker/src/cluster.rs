//! Several servers that form one cluster.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::Value;

use crate::config::{Member, Options};
use crate::ports;
use crate::server::{Server, pause};

const READY_PATIENCE: Duration = Duration::from_secs(60);
/// How often a start is repeated when another process took one of the chosen ports first.
const PORT_ATTEMPTS: u32 = 5;

/// A cluster of nats-servers with JetStream, on the loopback interface, each with a directory of its own.
///
/// Members are numbered from 0.
#[derive(Debug)]
pub struct Cluster {
    members: Vec<Server>,
}

impl Cluster {
    /// Starts `size` servers in sub-directories of `dir` and waits until streams can be made.
    ///
    /// # Errors
    ///
    /// As [`Server::start`]; and when the members have not found a leader in time.
    pub async fn start(dir: impl Into<PathBuf>, size: usize) -> anyhow::Result<Self> {
        Self::start_with(Options { dir: dir.into(), ..Options::default() }, size).await
    }

    /// As [`start`](Self::start), with `sync_always` and `extra` applied to every member; `port` is not used.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn start_with(options: Options, size: usize) -> anyhow::Result<Self> {
        let mut attempt = 1;
        loop {
            let mut cluster = Self::prepare(&options, size)?;
            match cluster.start_all().await {
                Ok(()) => return Ok(cluster),
                Err(_) if attempt < PORT_ATTEMPTS && cluster.port_was_taken() => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The members' addresses, of those that were killed too: what a client is configured with.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.members.iter().map(Server::url).collect()
    }

    /// Member `index`.
    ///
    /// # Panics
    ///
    /// When there is no such member, as with every method that takes an index.
    #[must_use]
    pub fn member(&self, index: usize) -> &Server {
        &self.members[index]
    }

    /// The member that leads JetStream at the moment (the meta leader), if the running members agree on one.
    pub async fn leader(&self) -> Option<usize> {
        let mut agreed = None;
        for member in self.members.iter().filter(|member| member.is_running()) {
            let seen = meta_leader(member).await?;
            if agreed.get_or_insert_with(|| seen.clone()) != &seen {
                return None;
            }
        }
        // For a while after its death the others still name the old leader.
        let is_leader = |member: &Server| member.is_running() && member.name() == agreed.as_deref();
        self.members.iter().position(is_leader)
    }

    /// Kills member `index` (SIGKILL).
    ///
    /// # Errors
    ///
    /// When the operating system refuses.
    pub async fn kill(&mut self, index: usize) -> anyhow::Result<()> {
        self.members[index].kill().await
    }

    /// Stops member `index` as an operator would (SIGTERM).
    ///
    /// # Errors
    ///
    /// When the signal could not be sent.
    pub async fn stop(&mut self, index: usize) -> anyhow::Result<()> {
        self.members[index].stop().await
    }

    /// Starts member `index` again with its ports and data, and waits until it has caught up.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn restart(&mut self, index: usize) -> anyhow::Result<()> {
        self.members[index].restart().await?;
        self.wait_until_ready().await
    }

    /// Kills all members (SIGKILL), then starts them again with their ports and data and waits for a leader.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn restart_all(&mut self) -> anyhow::Result<()> {
        for member in &mut self.members {
            member.kill().await?;
        }
        self.start_all().await
    }

    /// Waits until every running member is healthy and they agree on a leader.
    ///
    /// # Errors
    ///
    /// When that takes more than a minute; a majority may be missing.
    pub async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_PATIENCE;
        while !self.is_ready().await {
            if Instant::now() > deadline {
                bail!("the cluster in {} found no leader within {READY_PATIENCE:?}", self.places());
            }
            pause().await;
        }
        Ok(())
    }

    fn prepare(options: &Options, size: usize) -> anyhow::Result<Self> {
        ensure!(size > 0, "a cluster has members");
        let mut client_ports = ports::free(2 * size)?;
        let cluster_ports = client_ports.split_off(size);
        let members = client_ports.into_iter().zip(&cluster_ports).enumerate();
        let members = members.map(|(index, (port, &cluster_port))| {
            let name = format!("broker-{index}");
            let options = Options { dir: options.dir.join(&name), ..options.clone() };
            let routes = match &options.detour {
                Some(detour) => detour.routes(index, &cluster_ports),
                None => cluster_ports.clone(),
            };
            Server::prepare(options, port, Some(Member { name, cluster_port, routes }))
        });
        Ok(Self { members: members.collect() })
    }

    async fn start_all(&mut self) -> anyhow::Result<()> {
        for member in &mut self.members {
            member.spawn().await?;
        }
        for member in &mut self.members {
            member.wait_until_listening().await?;
        }
        self.wait_until_ready().await
    }

    async fn is_ready(&self) -> bool {
        for member in self.members.iter().filter(|member| member.is_running()) {
            if member.monitor("/healthz").await.is_err() {
                return false;
            }
        }
        let Some(leader) = self.leader().await else { return false };
        let running = self.members.iter().filter(|member| member.is_running()).count();
        peers_seen_by(&self.members[leader]).await + 1 >= running
    }

    fn port_was_taken(&self) -> bool {
        self.members.iter().any(Server::port_was_taken)
    }

    fn places(&self) -> String {
        let places: Vec<_> = self.members.iter().map(|m| m.dir().display().to_string()).collect();
        places.join(", ")
    }
}

/// How many others the leader takes for alive: on no other does it place anything.
async fn peers_seen_by(leader: &Server) -> usize {
    let Ok(document) = leader.monitor("/jsz").await else { return 0 };
    let peers = document.pointer("/meta_cluster/replicas").and_then(Value::as_array);
    let is_there = |peer: &&Value| peer["offline"] != true && peer["current"] == true;
    peers.into_iter().flatten().filter(is_there).count()
}

/// The name of the meta leader as `member` sees it.
async fn meta_leader(member: &Server) -> Option<String> {
    let document = member.monitor("/jsz").await.ok()?;
    let leader = document.pointer("/meta_cluster/leader").and_then(Value::as_str)?;
    (!leader.is_empty()).then(|| leader.to_owned())
}
