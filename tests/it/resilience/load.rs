//! What callers see, and what becomes of all they ask for, while nothing goes wrong and while
//! something does.

use std::{sync::Arc, time::Duration};

use super::harness::{Fleet, INTAKE, Plan, UPLOAD, soon};
use crate::harness::load::{Config, Load, Pace, Said, every_flow};

fn load(fleet: &Fleet, name: &str) -> Config {
    let urls = |program| fleet.all(program).iter().map(|member| member.url.clone()).collect();
    Config::new(name, urls(INTAKE), urls(UPLOAD))
}

#[tokio::test]
async fn callers_of_every_flow_get_what_they_ask_for_and_every_verification_ends_once() {
    let fleet = Plan::new().replicas(INTAKE, 2).replicas(UPLOAD, 2).start().await;
    let config = Config {
        pace: Pace::PerSecond(20),
        most: 40,
        members: Arc::new(every_flow),
        ..load(&fleet, "calm")
    };

    let ledger = Load::start(config).ended().await;
    let report = ledger.settle(&fleet.nats, Duration::from_secs(60)).await;

    report.assert_kept();
    assert_eq!(report.ended(), 40, "\n{report}");
    assert_eq!(report.unfinished, [""; 0], "\n{report}");
    assert!(report.slowest() < Duration::from_secs(20), "\n{report}");
    assert_eq!((report.answers.others(), report.answers.missing()), (vec![], 0), "\n{report}");
}

#[tokio::test]
async fn callers_whose_intake_dies_come_again_and_lose_nothing() {
    let fleet = Plan::new().replicas(INTAKE, 2).start().await;
    let load = Load::start(load(&fleet, "troubled"));
    let intake = fleet.all(INTAKE)[1];
    soon("some are through", async || {
        let done = load.so_far().done_count();
        if done > 10 { Ok(()) } else { Err(format!("{done}")) }
    })
    .await;
    intake.kill().await;
    soon("somebody has noticed", async || {
        let refused = load.so_far().answers.count(Said::NoConnection);
        if refused > 0 { Ok(()) } else { Err("nobody".to_owned()) }
    })
    .await;
    intake.restart().await;

    let report = load.stop().await.settle(&fleet.nats, Duration::from_secs(60)).await;

    report.assert_kept();
    assert_eq!(report.answered, report.asked, "\n{report}");
    assert_eq!(report.unfinished, [""; 0], "\n{report}");
}
