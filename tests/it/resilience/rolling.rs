//! A restart of everything, one process after the other.

use super::harness::{callers, roll, two_of_each};
use crate::harness::Build;

#[tokio::test]
async fn callers_notice_nothing_of_a_rolling_restart_nor_of_provisioning_once_more() {
    let todays = Build::default();
    let fleet = two_of_each(todays.clone()).await;
    let load = callers(&fleet, "rolling");
    fleet.provisions(&todays).await;

    let report = roll(&fleet, load, &todays).await;

    report.assert_unnoticed("rolling-restart");
}
