//! A real Prometheus.

use std::{
    fmt::Write as _,
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::{
    harness::{Ask, SERVICES, Stage, eventually},
    installs::in_repository,
};

/// A Prometheus that scrapes all services of a stage.
pub(super) struct Prometheus {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Prometheus {
    pub(super) fn start(stage: &Stage) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config =
            "global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [".to_owned();
        let rules = in_repository("deploy/observability/rules.yaml");
        writeln!(config, "{}]\nscrape_configs:", rules.display()).unwrap();
        for service in SERVICES {
            let address = stage.process(service).admin_url.trim_start_matches("http://").to_owned();
            writeln!(
                config,
                "  - {{ job_name: {service}, static_configs: [{{ targets: ['{address}'] }}] }}"
            )
            .unwrap();
        }
        let file = folder.path().join("prometheus.yaml");
        fs::write(&file, config).unwrap();
        // It doesn't say which port it got, so it is given one that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is installed: make observability-check does it");
        Self { child, url: format!("http://{free}"), _folder: folder }
    }

    /// What a query finds now.
    pub(super) async fn finds(&self, stage: &Stage, query: &str) -> Vec<Value> {
        let request = stage.caller.http.get(format!("{}/api/v1/query", self.url));
        let answer = request.query(&[("query", query)]).ask().await.is(200);
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// What a query found every so many seconds of the last minute.
    pub(super) async fn found(&self, stage: &Stage, query: &str) -> Vec<Value> {
        let request = stage.caller.http.get(format!("{}/api/v1/query_range", self.url));
        let end = now().unix_timestamp();
        let (start, end) = ((end - 60).to_string(), end.to_string());
        let range = [("query", query), ("start", &start), ("end", &end), ("step", "2")];
        let answer = request.query(&range).ask().await.is(200);
        answer["data"]["result"].as_array().unwrap().clone()
    }

    pub(super) async fn is_ready(&self, stage: &Stage) {
        let url = format!("{}/-/ready", self.url);
        eventually("Prometheus is ready", async || {
            match stage.caller.http.get(&url).send().await {
                Ok(answer) if answer.status().is_success() => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Ended already if that fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "what has just been scraped is asked for")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
