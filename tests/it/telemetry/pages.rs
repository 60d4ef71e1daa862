//! Rules, dashboard and runbook name what is there.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

use super::scrape::{documented, family, of_others};

const RULES: &str = include_str!("../../../deploy/observability/rules.yaml");
const DASHBOARD: &str = include_str!("../../../deploy/observability/dashboard.json");
const RUNBOOK: &str = include_str!("../../../docs/runbook.md");

/// Every `expr` of the dashboard.
fn queries() -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|value| collect(value, found));
            }
            Value::Array(all) => all.iter().for_each(|value| collect(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    collect(&serde_json::from_str(DASHBOARD).unwrap(), &mut found);
    found
}

/// The expressions of the rules: the lines of each `expr`.
fn expressions() -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = RULES.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.trim_start().strip_prefix("expr: ") else { continue };
        let indent = line.len() - line.trim_start().len();
        let mut whole = first.to_owned();
        while let Some(next) = lines.next_if(|next| next.len() - next.trim_start().len() > indent) {
            whole.push(' ');
            whole.push_str(next.trim());
        }
        found.push(whole);
    }
    found
}

/// What looks like a metric's name: words with a known beginning.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let begins = [
        "proofline_",
        "http_server_",
        "target_info",
        "kubelet_",
        "kube_",
        "nats_",
        "gnatsd_",
        "jetstream_",
    ];
    let is_metric =
        |word: &&str| *word == "up" || begins.iter().any(|begin| word.starts_with(begin));
    words.filter(is_metric).map(str::to_owned).collect()
}

fn alerts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in RULES.lines().map(str::trim_start) {
        if let Some(name) = line.strip_prefix("- alert: ") {
            found.push((name.to_owned(), String::new()));
        } else if let Some(url) = line.strip_prefix("runbook_url: ") {
            let last = found.last_mut().expect("an alert comes before its annotations");
            url.clone_into(&mut last.1);
        }
    }
    found
}

/// The anchor that a heading has.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect()
}

#[test]
fn the_dashboard_and_the_rules_use_metrics_that_are_in_the_page() {
    let (documented, others) = (documented(), of_others());
    let mut used = BTreeSet::new();
    for text in queries().iter().chain(&expressions()) {
        let found = metrics_in(text);
        assert!(!found.is_empty(), "no metric in {text}");
        for name in found {
            let is_ours = documented.contains_key(family(&name)) || documented.contains_key(&name);
            assert!(is_ours || others.contains(&name), "{name} in {text}");
            used.insert(family(&name).to_owned());
            used.insert(name);
        }
    }
    assert!(queries().len() > 30 && expressions().len() > 12);
    let unused: Vec<_> = documented.keys().filter(|name| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "nobody looks at {unused:?}");
    let unused: Vec<_> = others.iter().filter(|name| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "nobody uses {unused:?}");
}

#[test]
fn every_alert_has_its_entry_in_the_runbook_and_every_entry_its_alert() {
    let headings = RUNBOOK.lines().filter_map(|line| line.strip_prefix("### "));
    let headings: BTreeSet<_> = headings.collect();
    let alerts = alerts();
    let names: BTreeSet<_> = alerts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), alerts.len(), "an alert is there twice");
    assert_eq!(names, headings);
    for (name, url) in &alerts {
        let (page, fragment) = url.split_once('#').unwrap_or_else(|| panic!("{name}: {url}"));
        assert!(page.ends_with("docs/runbook.md"), "{name}: {url}");
        assert_eq!(fragment, anchor(name));
    }
    for entry in RUNBOOK.split("\n### ").skip(1) {
        for part in ["**Means**", "**Look**", "**Do**"] {
            assert!(entry.contains(part), "{part} is missing in {}", entry.lines().next().unwrap());
        }
    }
}

#[test]
fn every_link_in_the_runbook_leads_somewhere() {
    let headings = RUNBOOK.lines().filter(|line| line.starts_with('#'));
    let anchors: BTreeSet<_> =
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect();
    let links = RUNBOOK.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap());
    let broken: Vec<_> = links.filter(|link| !anchors.contains(*link)).collect();
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn every_alert_is_tested() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/observability");
    let tests = fs::read_to_string(folder.join("rules_test.yaml")).unwrap();
    for (name, _) in alerts() {
        let cases = tests.matches(&format!("alertname: {name}\n")).count();
        assert!(cases >= 2, "{name} needs a case in which it fires and one in which it does not");
    }
}
