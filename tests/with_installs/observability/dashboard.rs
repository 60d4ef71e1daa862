//! The dashboard that operators load into Grafana.

use std::fs;

use serde_json::Value;

use crate::installs::in_repository;

/// One query of a panel.
pub(super) struct Target {
    /// The panel's title and unit.
    pub(super) title: String,
    pub(super) unit: String,
    pub(super) query: String,
    /// What its series are called, as Grafana has it.
    pub(super) legend: String,
}

/// Every target of the dashboard.
pub(super) fn targets() -> Vec<Target> {
    let file = in_repository("deploy/observability/dashboard.json");
    let dashboard: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    panels.iter().flat_map(targets_of).collect()
}

fn targets_of(panel: &Value) -> impl Iterator<Item = Target> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    panel["targets"].as_array().into_iter().flatten().map(move |target| Target {
        title: text(&panel["title"]),
        unit: text(&panel["fieldConfig"]["defaults"]["unit"]),
        query: text(&target["expr"]).replace("$__rate_interval", "10s"),
        legend: text(&target["legendFormat"]),
    })
}
