//! What callers ask for: every flow, and processes that go as the seed says.

use serde_json::{Value, json};

use crate::{
    harness::load::{DISCARDS, LEAVES, every_flow},
    resilience::harness::Chance,
};

/// How a callback may come, or not.
const CALLBACKS: [&[&str]; 12] = [
    &[],
    &[],
    &[],
    &[],
    &["callback-lost"],
    &["callback-doubled"],
    &["callback-copies=7"],
    &["callback-early"],
    &["callback-early", "callback-lost"],
    &["callback-delay=2s"],
    &["callback-delay=8s", "callback-doubled"],
    &["callback-lie=rejected"],
];
/// How long Assure takes, and how long it then shows less than it knows.
const TIMES: [&[&str]; 4] =
    [&[], &["processing-time=500ms"], &["processing-time=4s"], &["get-process-lag=2s"]];
/// Who does what they came for, and who thinks again.
const WHIMS: [&[&str]; 12] =
    [&[LEAVES], &[DISCARDS], &[], &[], &[], &[], &[], &[], &[], &[], &[], &[]];
/// Of those that are left to their deadline.
const EXPIRES_IN_SECONDS: u32 = 15;
/// Every provider knows these.
const OUTCOMES: [&str; 5] = ["accepted", "accepted", "rejected", "canceled", "failed"];

/// The members of this one.
pub(super) fn members(seed: u64, number: usize) -> Value {
    let mut chance = Chance::new(seed ^ (u64::try_from(number).unwrap() << 20));
    let words =
        [*chance.pick(&CALLBACKS), *chance.pick(&TIMES), &[*chance.pick(&OUTCOMES)]].concat();
    let whims = *chance.pick(&WHIMS);
    let mut tags: Vec<_> = words.iter().map(|word| format!("simulate:{word}")).collect();
    tags.extend(whims.iter().map(|whim| (*whim).to_owned()));
    let mut members = every_flow(number);
    members["tags"] = json!(tags);
    if whims.contains(&LEAVES) {
        members["expires_in_seconds"] = json!(EXPIRES_IN_SECONDS);
    }
    members
}
