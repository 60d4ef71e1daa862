//! The dashboard on a real Prometheus that has scraped a real run.

use std::{
    fmt::Write as _,
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    harness::{Ask, SERVICES, Stage, eventually},
    installs::in_repository,
    run,
};

/// A Prometheus that scrapes all services of a stage.
struct Prometheus {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Prometheus {
    fn start(stage: &Stage) -> Self {
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
    async fn finds(&self, stage: &Stage, query: &str) -> Vec<Value> {
        let request = stage.caller.http.get(format!("{}/api/v1/query", self.url));
        let answer = request.query(&[("query", query)]).ask().await.is(200);
        answer["data"]["result"].as_array().unwrap().clone()
    }

    async fn is_ready(&self, stage: &Stage) {
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

/// Title and query of every target of the dashboard.
fn targets() -> Vec<(String, String)> {
    let file = in_repository("deploy/observability/dashboard.json");
    let dashboard: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut all = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().unwrap().replace("$__rate_interval", "1m");
            all.push((title.to_owned(), query));
        }
    }
    all
}

#[tokio::test]
async fn no_panel_of_the_dashboard_is_empty_after_a_run_in_which_everything_happens() {
    let stage = run::scene().start().await;
    let prometheus = Prometheus::start(&stage);
    prometheus.is_ready(&stage).await;

    run::everything(&stage).await;

    let targets = targets();
    assert!(targets.len() > 40, "{}", targets.len());
    for (title, query) in &targets {
        eventually(&format!("{title} shows something: {query}"), async || {
            let found = prometheus.finds(&stage, query).await;
            if found.is_empty() { Err("nothing".to_owned()) } else { Ok(()) }
        })
        .await;
    }
    // The run wrote dead letters, forged callbacks and broke what was sealed: alerts that need no
    // time to wait fire on it.
    for alert in ["DeadLettersWritten", "SealedUnreadable"] {
        let query = format!("ALERTS{{alertname=\"{alert}\"}}");
        eventually(&format!("{alert} fires"), async || {
            let found = prometheus.finds(&stage, &query).await;
            if found.is_empty() { Err("silence".to_owned()) } else { Ok(()) }
        })
        .await;
    }
}
