//! One process: its settings, what it says, where it listens, how it ends.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::Mutex,
    time::timeout,
};

use super::{PATIENCE, eventually, program};

/// What a program listens for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doors {
    pub(crate) public: bool,
    pub(crate) admin: bool,
}

/// A running process. Killed when it is dropped.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    log: PathBuf,
    pub(crate) pid: u32,
    child: Mutex<Child>,
    /// Where its public HTTP is, such as `http://127.0.0.1:34567`.
    pub(crate) url: String,
    /// Where its admin endpoints are.
    pub(crate) admin_url: String,
}

impl Process {
    /// Starts a program with these settings and nothing else, and waits until it listens.
    pub(crate) async fn start(
        name: &'static str,
        doors: Doors,
        settings: &[(&str, String)],
        folder: &Path,
    ) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::options().create_new(true).append(true).open(&log).unwrap();
        // Whose it is does not make it another program.
        let mut command = program(name.strip_prefix("their-").unwrap_or(name));
        command
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        let child = command.spawn().unwrap();
        let (pid, child) = (child.id().unwrap(), Mutex::new(child));
        let mut process =
            Self { name, log, pid, child, url: String::new(), admin_url: String::new() };
        (process.url, process.admin_url) = process.addresses(doors).await;
        process
    }

    /// Port 0 was asked for, so where it listens stands in its log.
    async fn addresses(&self, doors: Doors) -> (String, String) {
        let address = |log: &str, message: &str| {
            let mut lines = log.lines().filter_map(|line| serde_json::from_str(line).ok());
            let line: Value = lines.find(|line: &Value| line["message"] == message)?;
            Some(format!("http://{}", line["address"].as_str()?))
        };
        eventually(&format!("{} listens", self.name), async || {
            let log = self.log();
            let ended = self.child.lock().await.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended:\n{log}", self.name);
            let url = address(&log, "listening");
            let admin_url = address(&log, "admin endpoints are listening");
            let is_all = (url.is_some() || !doors.public) && (admin_url.is_some() || !doors.admin);
            let addresses = (url.unwrap_or_default(), admin_url.unwrap_or_default());
            if is_all { Ok(addresses) } else { Err(log) }
        })
        .await
    }

    /// Everything it has said so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Asks it to stop, as an operator would.
    pub(crate) async fn terminate(&self) {
        self.signal("-TERM").await;
    }

    /// Sends it this signal.
    pub(crate) async fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.pid.to_string()]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> ExitStatus {
        let mut child = self.child.lock().await;
        let ended = timeout(PATIENCE, child.wait()).await;
        ended.unwrap_or_else(|_| panic!("{} did not end:\n{}", self.name, self.log())).unwrap()
    }

    /// Ends it without a warning.
    pub(crate) async fn kill(&self) {
        self.child.lock().await.kill().await.unwrap();
    }
}
