//! The dashboard on a real Prometheus that has scraped a real run.

mod dashboard;
mod picture;
mod prometheus;

use std::sync::Arc;

use crate::{
    harness::{
        Scene, eventually,
        load::{Config, Load, Pace, every_flow},
    },
    run,
};
use dashboard::{Target, targets};
use picture::PANELS;
use prometheus::Prometheus;

#[tokio::test]
async fn no_panel_of_the_dashboard_is_empty_after_a_run_in_which_everything_happens() {
    let stage = run::scene().start().await;
    let prometheus = Prometheus::start(&stage);
    prometheus.is_ready(&stage).await;

    run::everything(&stage).await;

    let targets = targets();
    assert!(targets.len() > 40, "{}", targets.len());
    for Target { title, query, .. } in &targets {
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

#[tokio::test]
async fn the_main_panels_are_drawn_from_a_minute_of_callers() {
    let stage = Scene::new().start().await;
    let prometheus = Prometheus::start(&stage);
    prometheus.is_ready(&stage).await;
    let url = |service| vec![stage.process(service).url.clone()];
    let config = Config {
        pace: Pace::PerSecond(5),
        most: 300,
        members: Arc::new(every_flow),
        ..Config::new("picture", url("proofline-intake"), url("proofline-upload"))
    };

    Load::start(config).ended().await;

    let mut drawn = Vec::new();
    for target in targets().into_iter().filter(|target| PANELS.contains(&&*target.title)) {
        let found = prometheus.found(&stage, &target.query).await;
        drawn.push((target, found));
    }
    picture::draw(&drawn);
}
