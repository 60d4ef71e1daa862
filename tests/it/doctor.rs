//! `proofline doctor`: what it finds, as somebody or a script sees it.

use std::collections::BTreeMap;

use async_nats::jetstream;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::time::timeout;

use crate::harness::{ACME_KEY, Bus, CLIENT_SECRET, PATIENCE, Scene, Stage, digest, program};

/// What a laptop has and nobody may in production.
const ON_A_LAPTOP: [&str; 4] = ["replicas", "nats-login", "nats-rights", "sync-interval"];

/// The settings of an installation, for one visit.
#[derive(Clone)]
pub(crate) struct Patient(BTreeMap<&'static str, String>);

/// What a visit came to.
struct Visit {
    code: Option<i32>,
    shown: String,
    complaint: String,
}

impl Patient {
    /// An installation in good health, as far as one server can have it.
    pub(crate) async fn of(stage: &Stage) -> Self {
        let broker = stage.broker.lock().await;
        let key = |byte: u8| STANDARD.encode((0..32).map(|i| i * 7 + byte).collect::<Vec<u8>>());
        let mut patient = Self(BTreeMap::new())
            .with("PROOFLINE_NATS_URL", broker.url())
            .with("PROOFLINE_NATS_MONITORING", broker.monitoring_url())
            .with("PROOFLINE_TENANTS_FILE", stage.folder().join("tenants.toml").display())
            .with("PROOFLINE_KEYS", format!("k1:{}", key(3)))
            .with("PROOFLINE_TOKEN_KEYS", format!("t1:{}", key(5)))
            .with("PROOFLINE_PUBLIC_URL", &stage.process("proofline-callback-receiver").url)
            .with("PROOFLINE_UPLOAD_URL", &stage.caller.uploads)
            .with("PROOFLINE_API_URL", &stage.caller.api)
            .with("ASSURE_BASE_URL", format!("{}/assure", stage.simulator.url))
            .with("ASSURE_TOKEN_URL", format!("{}/auth/open/connect/token", stage.simulator.url))
            .with("ASSURE_CLIENT_ID", "simulator")
            .with("ASSURE_CLIENT_SECRET", CLIENT_SECRET);
        if let Some(guard) = &stage.guard {
            patient.0.extend(guard.settings_of("provision"));
        }
        patient
    }

    fn with(&self, name: &'static str, value: impl ToString) -> Self {
        let mut patient = self.clone();
        patient.0.insert(name, value.to_string());
        patient
    }

    async fn visits(&self, arguments: &[&str]) -> Visit {
        let mut command = program("proofline");
        command.arg("doctor").args(arguments).envs(&self.0);
        let output = timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (shown, complaint) = (text(output.stdout), text(output.stderr));
        for secret in [CLIENT_SECRET, ACME_KEY] {
            assert!(!shown.contains(secret) && !complaint.contains(secret), "{shown}{complaint}");
        }
        Visit { code: output.status.code(), shown, complaint }
    }

    /// The status of each check, by its name, and how the visit ended.
    async fn findings(&self) -> (Option<i32>, BTreeMap<String, Value>) {
        let visit = self.visits(&["--json"]).await;
        let document: Value = serde_json::from_str(&visit.shown).unwrap_or_else(|_| {
            panic!("not JSON: {}{}", visit.shown, visit.complaint);
        });
        let checks = document["checks"].as_array().unwrap().iter();
        let by_name = checks.map(|check| (check["check"].as_str().unwrap().into(), check.clone()));
        (visit.code, by_name.collect())
    }

    /// These checks, and no others, find a problem, and say what to do; what is unchecked is a
    /// problem too, for whoever asks by the exit code.
    pub(crate) async fn suffers_from(&self, expected: &[&str]) -> BTreeMap<String, Value> {
        let (code, findings) = self.findings().await;
        let is_fine = findings.values().all(|finding| finding["status"] == "ok");
        let problems = findings.iter().filter(|(_, finding)| finding["status"] == "problem");
        let mut names: Vec<_> = problems
            .map(|(name, finding)| {
                assert!(finding["advice"].as_str().is_some_and(|text| !text.is_empty()));
                name.as_str()
            })
            .collect();
        let mut expected = expected.to_vec();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{findings:#?}");
        assert_eq!(code, Some(i32::from(!is_fine)));
        findings
    }
}

fn besides_a_laptop(more: &[&'static str]) -> Vec<&'static str> {
    [&ON_A_LAPTOP, more].concat()
}

#[tokio::test]
async fn what_is_good_is_said_to_be_and_what_is_unsafe_can_be_accepted_by_name() {
    let stage = Stage::start().await;
    let patient = Patient::of(&stage).await;

    let findings = patient.suffers_from(&ON_A_LAPTOP).await;
    let good = findings.values().filter(|finding| finding["status"] == "ok").count();
    assert_eq!(good + ON_A_LAPTOP.len(), findings.len(), "{findings:#?}");
    assert_eq!(findings.len(), 17);

    let visit = patient.visits(&[]).await;
    assert_eq!(visit.code, Some(1));
    assert!(visit.shown.contains("replicas"), "{}", visit.shown);
    assert!(visit.shown.contains("→ Run three NATS servers"), "{}", visit.shown);
    assert!(visit.complaint.contains("4 problems"), "{}", visit.complaint);
    let accepted: Vec<_> = ON_A_LAPTOP.iter().flat_map(|name| ["--accept", name]).collect();
    let visit = patient.visits(&accepted).await;
    assert_eq!(visit.code, Some(0), "{}", visit.shown);
    assert_eq!(visit.shown.matches("accepted").count(), 4, "{}", visit.shown);
    let streams = jetstream::new(stage.nats.clone()).get_stream("PROOFLINE_PROBE").await;
    assert!(streams.is_err(), "what it made it deletes");
}

#[tokio::test]
async fn what_could_not_be_looked_at_is_a_failure_until_it_is_accepted_by_name() {
    let stage = Stage::start().await;
    let blind = Patient::of(&stage).await.with("PROOFLINE_NATS_MONITORING", "");
    let accepting = |names: &[&'static str]| -> Vec<&str> {
        names.iter().flat_map(|name| ["--accept", name]).collect()
    };

    let visit = blind.visits(&accepting(&["replicas", "nats-login", "nats-rights"])).await;
    assert_eq!(visit.code, Some(1), "{}", visit.shown);
    assert_eq!(visit.shown.matches("unchecked").count(), 2, "{}", visit.shown);
    let all = accepting(&["replicas", "nats-login", "nats-rights", "sync-interval", "disk"]);
    let visit = blind.visits(&all).await;
    assert_eq!(visit.code, Some(0), "{}", visit.shown);
}

#[tokio::test]
async fn what_a_doctor_that_was_killed_has_left_is_no_problem_for_the_next() {
    let stage = Stage::start().await;
    let jetstream = jetstream::new(stage.nats.clone());
    let left = jetstream::stream::Config {
        name: "PROOFLINE_PROBE".to_owned(),
        subjects: vec!["proofline.probe.v1".to_owned()],
        ..Default::default()
    };
    jetstream.create_stream(left).await.unwrap();

    let findings = Patient::of(&stage).await.suffers_from(&ON_A_LAPTOP).await;

    for check in ["nats-clock", "storage-speed"] {
        assert_eq!(findings[check]["status"], "ok", "{findings:#?}");
    }
    assert!(jetstream.get_stream("PROOFLINE_PROBE").await.is_err(), "nothing is left");
}

#[tokio::test]
async fn a_cluster_as_in_production_is_in_good_health_and_one_as_in_no_production_is_not() {
    let scene = Scene::new().on(Bus::Cluster);
    let stage = scene.with("proofline", "PROOFLINE_NATS_REPLICAS", 3).start().await;
    let patient = Patient::of(&stage).await.with("PROOFLINE_NATS_REPLICAS", 3);

    let findings = patient.suffers_from(&[]).await;
    assert!(findings.values().all(|finding| finding["status"] == "ok"), "{findings:#?}");

    // Somebody asks for less than there is.
    let fewer = patient.with("PROOFLINE_NATS_REPLICAS", 1);
    let findings = fewer.suffers_from(&["replicas", "provisioned"]).await;
    let found = findings["provisioned"]["found"].as_str().unwrap();
    assert!(found.contains("replicas 3 to 1"), "{found}");
}

#[tokio::test]
async fn each_fault_is_found_by_its_own_check() {
    let stage = Stage::start().await;
    let patient = Patient::of(&stage).await;

    let text = format!("k1:{}", STANDARD.encode("a text of thirty-two characters."));
    patient.with("PROOFLINE_KEYS", text).suffers_from(&besides_a_laptop(&["keys"])).await;
    let wrong = patient.with("ASSURE_CLIENT_SECRET", "wrong");
    wrong.suffers_from(&besides_a_laptop(&["assure"])).await;
    let nobody = "http://127.0.0.1:9/assure";
    let away = patient.with("ASSURE_BASE_URL", nobody).with("ASSURE_TOKEN_URL", nobody);
    let findings = away.suffers_from(&besides_a_laptop(&["assure"])).await;
    assert_eq!(findings["assure-clock"]["status"], "unchecked");
    for (name, check) in [
        ("PROOFLINE_PUBLIC_URL", "callback-address"),
        ("PROOFLINE_UPLOAD_URL", "upload-address"),
        ("PROOFLINE_API_URL", "api-address"),
    ] {
        for url in ["http://127.0.0.1:9", &stage.simulator.url, "http://192.0.2.1"] {
            let astray = patient.with(name, url);
            astray.suffers_from(&besides_a_laptop(&[check])).await;
        }
    }
    let demo = stage.folder().join("demo.toml");
    let tenants = std::fs::read_to_string(stage.folder().join("tenants.toml")).unwrap();
    let key = digest(b"demo-key");
    let tenants = format!("{tenants}\n[tenants.demo]\napi_key_sha256 = ['{key}']\n");
    std::fs::write(&demo, tenants).unwrap();
    let with_demo = patient.with("PROOFLINE_TENANTS_FILE", demo.display());
    with_demo.suffers_from(&besides_a_laptop(&["api-keys"])).await;
    let blind = patient.with("PROOFLINE_NATS_MONITORING", "");
    let findings = blind.suffers_from(&["replicas", "nats-login", "nats-rights"]).await;
    for check in ["sync-interval", "disk"] {
        assert_eq!(findings[check]["status"], "unchecked");
    }
}

#[tokio::test]
async fn a_stream_that_is_missing_and_a_nats_that_is_away_are_found() {
    let stage = Stage::start().await;
    let patient = Patient::of(&stage).await;
    let jetstream = jetstream::new(stage.nats.clone());
    jetstream.delete_stream("DEAD_LETTERS").await.unwrap();

    let findings = patient.suffers_from(&besides_a_laptop(&["provisioned"])).await;
    let found = findings["provisioned"]["found"].as_str().unwrap();
    assert!(found.contains("stream DEAD_LETTERS: made"), "{found}");

    stage.acts().1.nats_stops().await;
    let findings = patient.suffers_from(&["nats-server"]).await;
    for check in ["disk", "provisioned", "storage-speed"] {
        assert_eq!(findings[check]["status"], "unchecked");
    }
}

#[tokio::test]
async fn wrong_settings_and_checks_that_there_are_not_are_exit_code_2() {
    let stage = Stage::start().await;
    let patient = Patient::of(&stage).await;
    let visit = patient.with("PROOFLINE_NATS_MONITORING", "nats").visits(&[]).await;
    assert_eq!(visit.code, Some(2));
    assert!(visit.complaint.contains("PROOFLINE_NATS_MONITORING"), "{}", visit.complaint);
    assert_eq!(patient.visits(&["--accept", "anything"]).await.code, Some(2));
    let visit = patient.visits(&["--settings"]).await;
    assert_eq!(visit.code, Some(0));
    assert!(visit.shown.contains("PROOFLINE_NATS_MONITORING"), "{}", visit.shown);
}
