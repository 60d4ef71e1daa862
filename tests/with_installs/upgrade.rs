//! Another version takes the place of the one that runs, and callers notice nothing.
//!
//! The older version is the one that `tests/older-build` names; `make test-all` builds it.

use std::fs;

use crate::{
    harness::Build,
    installs::in_repository,
    resilience::{callers, roll, two_of_each},
};

fn older() -> Build {
    let named = fs::read_to_string(in_repository("tests/older-build")).unwrap();
    let folder = in_repository("target/older").join(named.trim());
    assert!(folder.exists(), "{} is missing: make test-all builds it", folder.display());
    folder.into()
}

#[tokio::test]
async fn callers_lose_nothing_when_todays_version_replaces_an_older_one() {
    let fleet = two_of_each(older()).await;
    let load = callers(&fleet, "upgrade");
    // What the older version made is changed in place, under what still uses it.
    fleet.provisions(&Build::default()).await;

    let report = roll(&fleet, load, &Build::default()).await;

    // The older one closed idle connections when it was stopped, under whoever was about to use one.
    report.assert_answered("upgrade");
}

#[tokio::test]
async fn callers_notice_nothing_when_an_older_version_is_put_back() {
    let fleet = two_of_each(Build::default()).await;
    let load = callers(&fleet, "back");

    let report = roll(&fleet, load, &older()).await;

    report.assert_unnoticed("back");
}
