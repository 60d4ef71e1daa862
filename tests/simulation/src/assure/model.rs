//! What Assure has.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{body::Body, http::Request};
use proofline_events::VerificationKey;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::Instant;

use crate::{dice::pass, process::Kind, world::World};

#[derive(Debug, Default)]
pub(crate) struct Assure(Mutex<State>);

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) dossiers: BTreeMap<String, Dossier>,
    /// Processes that were deleted, as they were.
    deleted: BTreeMap<String, Process>,
    last_number: u64,
}

#[derive(Debug)]
pub(crate) struct Dossier {
    pub(crate) reference: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) has_user_data: bool,
    pub(crate) processes: BTreeMap<String, Process>,
    /// What Start capture flow was given, by the address of its page.
    pub(crate) captures: BTreeMap<String, Value>,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) request: Value,
    pub(crate) created_at: OffsetDateTime,
    /// Each status since when; the last one is that of now.
    pub(crate) statuses: Vec<(Instant, &'static str)>,
    /// Sizes, by depiction.
    pub(crate) images: BTreeMap<String, u64>,
    pub(crate) outcome: &'static str,
}

/// `processing` is a process that never ends.
const OUTCOMES: [&str; 10] = [
    "accepted",
    "accepted",
    "accepted",
    "accepted",
    "rejected",
    "inconclusive",
    "canceled",
    "failed",
    "heldForReview",
    "processing",
];

impl Process {
    pub(crate) fn new(request: Value, world: &World) -> Self {
        Self {
            request,
            created_at: world.server_time(),
            statuses: vec![(Instant::now(), "pending")],
            images: BTreeMap::new(),
            outcome: *world.dice.pick::<&str>(&OUTCOMES),
        }
    }

    pub(crate) fn status(&self) -> &'static str {
        self.statuses.last().expect("there is one from the start").1
    }

    /// As reads tell it that are behind by so much.
    pub(crate) fn status_before(&self, lag: Duration) -> &'static str {
        let then = Instant::now() - lag;
        let known = self.statuses.iter().rev().find(|(since, _)| *since <= then);
        known.unwrap_or(&self.statuses[0]).1
    }

    pub(crate) fn becomes(&mut self, status: &'static str) {
        self.statuses.push((Instant::now(), status));
    }

    pub(crate) fn is_final(&self) -> bool {
        !matches!(self.status(), "pending" | "processing")
    }
}

impl State {
    pub(crate) fn next_id(&mut self, kind: &str) -> String {
        self.last_number += 1;
        format!("{kind}-{:04}", self.last_number)
    }

    pub(crate) fn process(&mut self, dossier: &str, process: &str) -> Option<&mut Process> {
        self.dossiers.get_mut(dossier)?.processes.get_mut(process)
    }

    /// A process, also when it has been deleted.
    pub(crate) fn ever(&self, process: &str) -> Option<&Process> {
        let mut there = self.dossiers.values().filter_map(|home| home.processes.get(process));
        there.next().or_else(|| self.deleted.get(process))
    }

    /// All that are there with the tag of a verification.
    pub(crate) fn processes_of(&self, key: &VerificationKey) -> Vec<(&String, &Process)> {
        let tag = json!(format!("proofline:{}:{}", key.tenant, key.id));
        let all = self.dossiers.values().flat_map(|dossier| &dossier.processes);
        all.filter(|(_, process)| process.request["eventTags"][0] == tag).collect()
    }

    pub(crate) fn delete_process(&mut self, dossier: &str, id: &str) {
        let home = self.dossiers.get_mut(dossier);
        let deleted = home.and_then(|home| home.processes.remove_entry(id));
        self.deleted.extend(deleted);
    }

    /// Whether it was there.
    pub(crate) fn delete_dossier(&mut self, id: &str) -> bool {
        let deleted = self.dossiers.remove(id);
        let is_there = deleted.is_some();
        self.deleted.extend(deleted.into_iter().flat_map(|dossier| dossier.processes));
        is_there
    }
}

pub(crate) fn stamp(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).expect("a year of four digits")
}

impl Assure {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while held")
    }

    /// A process is being worked on, and ends some time, or never.
    pub(crate) fn work_on(world: &Arc<World>, dossier: &str, process: &str) {
        let (world, dossier, process) = (Arc::clone(world), dossier.to_owned(), process.to_owned());
        tokio::spawn(async move {
            if world.happens(0.05) {
                // Early, and perhaps a lie.
                call_back(&world, &dossier, &process, "accepted").await;
            }
            pass(world.dice.milliseconds(10..*world.dice.pick(&[100, 3000, 60_000]))).await;
            let outcome = {
                let mut state = world.assure.state();
                let Some(there) = state.process(&dossier, &process) else { return };
                if there.outcome == "processing" || there.is_final() {
                    return;
                }
                there.becomes(there.outcome);
                there.outcome
            };
            world.trace.say(|| format!("Assure: {process} is {outcome}"));
            tell_the_end(&world, &dossier, &process, outcome).await;
        });
    }
}

/// Calls back: not at all, once, or more than once, and tries again where it was not taken.
async fn tell_the_end(world: &Arc<World>, dossier: &str, process: &str, status: &str) {
    if world.happens(world.profile().callback_lost) {
        return;
    }
    let times = if world.happens(0.2) { 3 } else { 1 };
    for _ in 0..times {
        pass(world.dice.milliseconds(0..*world.dice.pick(&[20, 2000, 30_000]))).await;
        for _ in 0..3 {
            if call_back(world, dossier, process, status).await {
                break;
            }
            pass(world.dice.milliseconds(1000..10_000)).await;
        }
    }
}

/// Whether it was taken.
async fn call_back(world: &Arc<World>, dossier: &str, process: &str, status: &str) -> bool {
    let target = {
        let mut state = world.assure.state();
        let Some(there) = state.process(dossier, process) else { return true };
        let text = |name: &str| there.request[name].as_str().map(ToOwned::to_owned);
        text("notificationUrl").zip(text("authorizationHeader"))
    };
    let Some((url, authorization)) = target else { return true };
    let body = json!({ "dossierId": dossier, "processId": process, "status": status });
    let request = Request::post(url)
        .header("authorization", authorization)
        .body(Body::from(body.to_string()))
        .expect("of the right form");
    let answer = world.fleet.request(world, Kind::CallbackReceiver, request).await;
    let is_taken = answer.is_some_and(|answer| answer.status.is_success());
    world.trace.say(|| format!("Assure: calls back, {process} {status}: {is_taken}"));
    if is_taken {
        world.judge.callback_was_taken(process, status);
    }
    is_taken
}
