//! One nats-server process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::config::{self, Layout, Member, Options};
use crate::{locate, monitoring, ports};

const START_PATIENCE: Duration = Duration::from_secs(20);
const STOP_PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);
/// How often a start is repeated when another process took the chosen port first.
const PORT_ATTEMPTS: u32 = 5;

/// A running (or stopped) nats-server with JetStream, on the loopback interface.
///
/// Dropping it kills the process and leaves the directory. The terminal's Ctrl-C does not reach it, so whoever
/// holds it decides when it goes.
#[derive(Debug)]
pub struct Server {
    options: Options,
    member: Option<Member>,
    port: u16,
    monitoring: String,
    child: Option<Child>,
}

impl Server {
    /// Starts a server and waits until it accepts connections and JetStream is on.
    ///
    /// # Errors
    ///
    /// No nats-server to be found ([`locate()`](crate::locate())), a faulty `extra`, a given port in use, or a
    /// directory that another server still uses. The end of the server's log is part of the message.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let attempts = if options.port.is_some() { 1 } else { PORT_ATTEMPTS };
        let mut attempt = 1;
        loop {
            let port = match options.port {
                Some(port) => port,
                None => ports::free(1)?[0],
            };
            let mut server = Self::prepare(options.clone(), port, None);
            match server.restart().await {
                Ok(()) => return Ok(server),
                Err(_) if attempt < attempts && server.port_was_taken() => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// A server that is not running yet.
    pub(crate) fn prepare(options: Options, port: u16, member: Option<Member>) -> Self {
        Self { options, member, port, monitoring: String::new(), child: None }
    }

    /// `nats://127.0.0.1:<port>`; the same after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port for clients; the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:<port>`, where the server tells about itself. A restart changes the port.
    #[must_use]
    pub fn monitoring_url(&self) -> String {
        format!("http://{}", self.monitoring)
    }

    /// Everything the server has logged so far.
    ///
    /// # Errors
    ///
    /// When there is no log yet.
    pub fn log(&self) -> anyhow::Result<String> {
        let log = Layout(&self.options.dir).log();
        fs::read_to_string(&log).with_context(|| format!("cannot read {}", log.display()))
    }

    /// The directory with data, configuration and log.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.options.dir
    }

    /// The process id while the server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Stops the server as an operator would (SIGTERM) and waits until it is gone. Nothing when it is not running.
    ///
    /// # Errors
    ///
    /// When the signal could not be sent. A server that does not go in time is killed, which is no error.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        let Some(pid) = child.id() else { return Ok(()) };
        let mut signal = Command::new(locate().await?);
        signal.arg("--signal").arg(format!("term={pid}"));
        let sent = signal.output().await.context("cannot send SIGTERM to nats-server")?;
        if !sent.status.success() || timeout(STOP_PATIENCE, child.wait()).await.is_err() {
            child.kill().await.context("cannot kill nats-server")?;
        }
        Ok(())
    }

    /// Kills the server (SIGKILL) and waits until it is gone. Nothing when it is not running.
    ///
    /// # Errors
    ///
    /// When the operating system refuses.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        match self.child.take() {
            Some(mut child) => child.kill().await.context("cannot kill nats-server"),
            None => Ok(()),
        }
    }

    /// Starts the server again with the same port and data, stopping it first when it runs.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        self.spawn().await?;
        self.wait_until_listening().await
    }

    /// Starts the process, without waiting for it.
    pub(crate) async fn spawn(&mut self) -> anyhow::Result<()> {
        let program = locate().await?;
        let layout = Layout(&self.options.dir);
        fs::create_dir_all(layout.ports())
            .with_context(|| format!("cannot create {}", layout.ports().display()))?;
        let lock = lock(&layout)?;
        for stale in fs::read_dir(layout.ports())? {
            fs::remove_file(stale?.path())?;
        }
        let mut command = Command::new(&program);
        if let Some(given) = &self.options.configuration {
            command
                .arg("--config")
                .arg(&given.file)
                .arg("--ports_file_dir")
                .arg(layout.ports())
                .arg("--pid")
                .arg(layout.pid())
                .arg("--log")
                .arg(layout.log())
                .envs(config::environment(given, &layout, self.port, self.member.as_ref()));
        } else {
            let text = config::render(&self.options, self.port, self.member.as_ref());
            fs::write(layout.config(), text).context("cannot write the configuration")?;
            command.arg("--config").arg(layout.config());
        }
        let child = command
            // The lock is the child's to hold: it lasts as long as the server lives, even when we die first.
            .stdin(Stdio::from(lock))
            .stdout(Stdio::null())
            .stderr(Stdio::from(File::create(layout.stderr())?))
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until the process accepts connections.
    pub(crate) async fn wait_until_listening(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        let child = self.child.as_mut().context("nats-server is not running")?;
        let pid = child.id().context("nats-server is not running")?;
        let layout = Layout(&self.options.dir);
        loop {
            if let Some(monitoring) = read_ports(&layout.ports(), pid) {
                self.monitoring = monitoring;
                return Ok(());
            }
            if let Some(status) = child.try_wait()? {
                self.child = None;
                bail!("nats-server ended at its start ({status}):\n{}", self.log_tail());
            }
            if Instant::now() > deadline {
                self.kill().await?;
                bail!("nats-server did not listen within {START_PATIENCE:?}:\n{}", self.log_tail());
            }
            pause().await;
        }
    }

    /// One document of the monitoring endpoint, such as `/jsz`.
    pub(crate) async fn monitor(&self, path: &str) -> anyhow::Result<serde_json::Value> {
        monitoring::get(&self.monitoring, path).await
    }

    /// The name in the cluster, of a member.
    pub(crate) fn name(&self) -> Option<&str> {
        self.member.as_ref().map(|member| member.name.as_str())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Whether the last start failed because somebody else listens on the port.
    pub(crate) fn port_was_taken(&self) -> bool {
        self.log_tail().contains("address already in use")
    }

    /// The last lines of what the server said: its log, and its standard error where it complains about its
    /// configuration before there is a log.
    fn log_tail(&self) -> String {
        let layout = Layout(&self.options.dir);
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let text = read(layout.log()) + &read(layout.stderr());
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(child) = self.child.as_mut() else {
            return;
        };
        let _ = child.start_kill();
        // Only then may the directory be removed: a dying server can still write into it. SIGKILL takes
        // milliseconds; the bound is for an operating system in trouble.
        let deadline = Instant::now() + Duration::from_secs(1);
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::yield_now();
        }
    }
}

/// Takes the directory, or says who has it.
fn lock(layout: &Layout<'_>) -> anyhow::Result<File> {
    let file = File::create(layout.lock()).context("cannot create the lock file")?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(layout.pid()).unwrap_or_default();
            bail!(
                "{} is in use by another nats-server (process {})",
                layout.0.display(),
                pid.trim()
            )
        }
        Err(fs::TryLockError::Error(error)) => Err(error).context("cannot lock the directory"),
    }
}

/// The ports file of process `pid`, once it is whole: the address of the monitoring endpoint.
fn read_ports(folder: &Path, pid: u32) -> Option<String> {
    #[derive(Deserialize)]
    struct Ports {
        monitoring: Vec<String>,
    }
    let suffix = format!("_{pid}.ports");
    let mut entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let entry = entries.find(|entry| entry.file_name().to_string_lossy().ends_with(&suffix))?;
    let ports: Ports = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
    ports.monitoring.first()?.strip_prefix("http://").map(str::to_owned)
}

#[expect(
    clippy::disallowed_methods,
    reason = "between two looks at a file there is nothing to wait for"
)]
pub(crate) async fn pause() {
    sleep(POLL).await;
}
