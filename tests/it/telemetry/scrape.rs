//! What `/metrics` of all services say, and what the page says of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{SERVICES, Stage};

const PAGE: &str = include_str!("../../../docs/telemetry.md");

/// One metric.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Metric {
    /// `counter`, `gauge` or `histogram`.
    pub(super) kind: String,
    pub(super) labels: BTreeSet<String>,
    /// Those that tell of it, without `proofline-`.
    pub(super) services: BTreeSet<String>,
}

/// One line of a scrape.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// Of all services.
#[derive(Debug, Clone, Default)]
pub(super) struct Scrape {
    pub(super) metrics: BTreeMap<String, Metric>,
    pub(super) samples: Vec<Sample>,
}

impl Scrape {
    pub(super) async fn of(stage: &Stage) -> Self {
        let mut scrape = Self::default();
        for service in SERVICES {
            let url = format!("{}/metrics", stage.process(service).admin_url);
            let text = stage.caller.http.get(url).send().await.unwrap().text().await.unwrap();
            scrape.add(service.trim_start_matches("proofline-"), &text);
        }
        scrape
    }

    fn add(&mut self, service: &str, text: &str) {
        for line in text.lines() {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let (name, kind) = declared.split_once(' ').unwrap();
                let metric = self.metrics.entry(name.to_owned()).or_default();
                kind.clone_into(&mut metric.kind);
                metric.services.insert(service.to_owned());
            } else if !line.starts_with('#') {
                let sample = Sample::read(line);
                let is_whole = self.metrics.contains_key(&sample.name);
                let name = if is_whole { &sample.name } else { family(&sample.name) };
                let metric = self.metrics.get_mut(name).expect("its type is told first");
                let names = sample.labels.keys().filter(|name| !OURS_NOT.contains(&name.as_str()));
                metric.labels.extend(names.cloned());
                self.samples.push(sample);
            }
        }
    }

    /// The sum of what all services say.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let is_it = |sample: &&Sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(name, value)| sample.labels.get(*name).is_some_and(|v| v == value))
        };
        self.samples.iter().filter(is_it).map(|sample| sample.value).sum()
    }

    /// Every value that a label has.
    pub(super) fn values_of(&self, name: &str, label: &str) -> BTreeSet<&str> {
        let samples = self.samples.iter().filter(|sample| sample.name == name);
        samples.filter_map(|sample| sample.labels.get(label)).map(String::as_str).collect()
    }

    /// What the page tells of and no service does, or some service does not.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, documented) in documented() {
            let seen = self.metrics.get(&name).cloned().unwrap_or_default();
            let without = documented.services.difference(&seen.services);
            missing.extend(without.map(|service| format!("{name} of {service}")));
            let without = documented.labels.difference(&seen.labels);
            missing.extend(without.map(|label| format!("{label} of {name}")));
        }
        missing
    }
}

/// Labels of every metric and of every histogram.
const OURS_NOT: [&str; 2] = ["otel_scope_name", "le"];

impl Sample {
    fn read(line: &str) -> Self {
        let (what, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = match what.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
            None => (what, ""),
        };
        // No value of ours has a comma or a quotation mark.
        let labels = labels.split("\",").filter_map(|label| label.split_once("=\""));
        let labels = labels.map(|(n, v)| (n.to_owned(), v.trim_end_matches('"').to_owned()));
        Self { name: name.to_owned(), labels: labels.collect(), value: value.parse().unwrap() }
    }
}

/// The metric that a series of a histogram belongs to.
pub(super) fn family(series: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end)).unwrap_or(series)
}

/// The rows of the tables of metrics in the page: name, kind, labels, services, meaning.
pub(super) fn documented() -> BTreeMap<String, Metric> {
    let (_, section) = PAGE.split_once("## Metrics\n").unwrap();
    let (section, _) = section.split_once("\n### Of others\n").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [name, kind, labels, services, ..] = cells.as_slice() else { panic!("{row}") };
        let services: BTreeSet<String> = match *services {
            "all" => SERVICES.map(|s| s.trim_start_matches("proofline-").to_owned()).into(),
            some => some.split(", ").map(str::to_owned).collect(),
        };
        let labels = labels.split(", ").map(|label| label.trim_matches('`').to_owned());
        let metric = Metric {
            kind: (*kind).to_owned(),
            labels: labels.filter(|label| !label.is_empty()).collect(),
            services,
        };
        (name.trim_end_matches('`').to_owned(), metric)
    })
    .collect()
}

/// Metrics of others that the page says the rules and the dashboard use.
pub(super) fn of_others() -> BTreeSet<String> {
    let (_, section) = PAGE.split_once("### Of others\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
}
