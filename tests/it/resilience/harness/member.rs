//! One process of a fleet, which may be killed and started again at the same addresses.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use proofline_broker::free_ports;
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::Mutex,
    time::timeout,
};

use super::soon;
use crate::harness::{Build, eventually};

/// How often other ports are chosen, when somebody else took one in between.
const PORT_ATTEMPTS: u32 = 5;
/// SIGTERM promises it.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// A process, running or not. Killed when it is dropped.
pub(crate) struct Member {
    pub(crate) program: &'static str,
    /// Which of several it is, from 0.
    pub(crate) number: usize,
    settings: Mutex<Vec<(&'static str, String)>>,
    log: PathBuf,
    child: Mutex<Option<Child>>,
    build: Mutex<Build>,
    /// Where its public HTTP is; empty where it has none.
    pub(crate) url: String,
    /// Where its admin endpoints are; empty where it has none.
    pub(crate) admin_url: String,
}

impl Member {
    /// Starts a process with these settings and nothing else, and waits until it listens.
    pub(crate) async fn start(
        program: &'static str,
        build: &Build,
        number: usize,
        settings: Vec<(&'static str, String)>,
        folder: &Path,
    ) -> Self {
        let log = folder.join(format!("{program}-{number}.log"));
        let (url, admin_url) = (String::new(), String::new());
        let (child, build) = (Mutex::default(), Mutex::new(build.clone()));
        let settings = Mutex::new(settings);
        let mut member = Self { program, number, settings, log, child, build, url, admin_url };
        for _ in 0..PORT_ATTEMPTS {
            member.choose_ports();
            match member.launch().await {
                Ok(urls) => {
                    (member.url, member.admin_url) = urls;
                    return member;
                }
                Err(log) => assert!(log.contains("Address already in use"), "{program}:\n{log}"),
            }
        }
        panic!("others take all ports before {program} does");
    }

    /// Of those that are given to nobody else while it is away: whoever starts it again finds it
    /// where it was.
    fn choose_ports(&mut self) {
        for (name, value) in self.settings.get_mut() {
            if name.ends_with("_LISTEN") {
                *value = format!("127.0.0.1:{}", free_ports(1).unwrap()[0]);
            }
        }
    }

    /// Starts it again, with all its settings.
    pub(crate) async fn restart(&self) {
        // Who looks for a free port elsewhere holds it for a moment.
        let urls = eventually(&format!("{} starts", self.program), async || {
            let launched = self.launch().await;
            launched.inspect_err(|log| {
                assert!(log.contains("Address already in use"), "{} ended:\n{log}", self.program);
            })
        })
        .await;
        assert_eq!(urls, (self.url.clone(), self.admin_url.clone()));
    }

    /// Starts another build of it, with all its settings.
    pub(crate) async fn restart_as(&self, build: &Build) {
        *self.build.lock().await = build.clone();
        self.restart().await;
    }

    /// Has another value of a setting from its next start on, if it has the setting at all.
    pub(crate) async fn is_told(&self, name: &str, value: &str) {
        for (setting, old) in self.settings.lock().await.iter_mut() {
            if *setting == name {
                value.clone_into(old);
            }
        }
    }

    /// Ends it without a warning.
    pub(crate) async fn kill(&self) {
        let mut child = self.child.lock().await.take().expect("it is running");
        child.kill().await.unwrap();
    }

    /// Asks it to stop, as an operator would: it must be gone in time, content.
    pub(crate) async fn stop(&self) {
        let stopped = self.try_stop().await;
        stopped.unwrap_or_else(|how| panic!("{} {how}:\n{}", self.program, self.log()));
    }

    /// The same; how it went where that was not so. It is gone then too.
    pub(crate) async fn try_stop(&self) -> Result<(), String> {
        let mut child = self.child.lock().await.take().expect("it is running");
        signal(child.id(), "-TERM").await;
        match timeout(GONE_WITHIN, child.wait()).await {
            Ok(status) => match status.unwrap() {
                status if status.code() == Some(0) => Ok(()),
                status => Err(format!("stopped with {status}")),
            },
            Err(_) => {
                child.kill().await.unwrap();
                Err(format!("was not gone within {GONE_WITHIN:?}"))
            }
        }
    }

    /// Stops it in its tracks, or lets it go on as if nothing had been.
    pub(crate) async fn is_frozen(&self, is_frozen: bool) {
        let child = self.child.lock().await;
        let child = child.as_ref().expect("it is running");
        signal(child.id(), if is_frozen { "-STOP" } else { "-CONT" }).await;
    }

    /// Whether it runs, as it should where nobody has ended it.
    pub(crate) async fn is_alive(&self) -> bool {
        self.child.lock().await.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Its process id, while it runs.
    pub(crate) async fn pid(&self) -> u32 {
        self.child.lock().await.as_ref().and_then(Child::id).expect("it is running")
    }

    /// Everything it has said so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Starts the process; where it listens, or what it said before it ended.
    async fn launch(&self) -> Result<(String, String), String> {
        let mut slot = self.child.lock().await;
        assert!(slot.is_none(), "{} is running", self.program);
        let file = File::options().create(true).append(true).open(&self.log).unwrap();
        let told = usize::try_from(fs::metadata(&self.log).unwrap().len()).unwrap();
        let mut command = self.build.lock().await.program(self.program);
        let settings = self.settings.lock().await;
        command
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        let child = slot.insert(command.spawn().unwrap());
        let is_set = |name| settings.iter().any(|(set, _)| *set == name);
        let is_public = is_set("PROOFLINE_LISTEN") || is_set("SIMULATOR_LISTEN");
        let is_administered = is_set("PROOFLINE_ADMIN_LISTEN");
        let launched = soon(&format!("{} listens", self.program), async || {
            let has_ended = child.try_wait().unwrap().is_some();
            let log = self.log();
            let log = &log[told..];
            if has_ended {
                return Ok(Err(log.to_owned()));
            }
            let url = address_in(log, "listening");
            let admin_url = address_in(log, "admin endpoints are listening");
            let is_all = (url.is_some() || !is_public) && (admin_url.is_some() || !is_administered);
            let urls = (url.unwrap_or_default(), admin_url.unwrap_or_default());
            if is_all { Ok(Ok(urls)) } else { Err(log.to_owned()) }
        })
        .await;
        if launched.is_err() {
            *slot = None;
        }
        launched
    }
}

/// Sends a signal to a process that runs.
pub(crate) async fn signal(pid: Option<u32>, signal: &str) {
    let pid = pid.expect("it is running").to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
}

/// Where it listens stands in its log.
fn address_in(log: &str, message: &str) -> Option<String> {
    let mut lines = log.lines().filter_map(|line| serde_json::from_str(line).ok());
    let line: Value = lines.find(|line: &Value| line["message"] == message)?;
    Some(format!("http://{}", line["address"].as_str()?))
}
