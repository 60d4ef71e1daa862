//! End-users on pages of Assure's and of providers'.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use serde_json::Value;

use super::model::{Assure, Process};
use crate::{dice::pass, process::Kind, world::World};

impl Assure {
    /// An end-user goes where they were sent, perhaps twice, and comes back, perhaps.
    pub(crate) async fn visit(world: &Arc<World>, page: &str) {
        let visits = if world.happens(0.2) { 2 } else { 1 };
        for _ in 0..visits {
            let Some((dossier, process, back)) = begin(world, page) else { return };
            world.trace.say(|| format!("an end-user is at {page}: {process}"));
            Self::work_on(world, &dossier, &process);
            pass(world.dice.milliseconds(0..*world.dice.pick(&[50, 5000, 30_000]))).await;
            if world.dice.chance(0.8)
                && let Some(back) = back
            {
                let request = Request::get(back).body(Body::empty()).expect("of the right form");
                let answer = world.fleet.request(world, Kind::CallbackReceiver, request).await;
                let status = answer.map(|answer| answer.status.as_u16());
                world.trace.say(|| format!("an end-user comes back: {status:?}"));
            }
        }
    }
}

/// The dossier, the process, and where the end-user is sent back.
fn begin(world: &World, page: &str) -> Option<(String, String, Option<String>)> {
    let mut state = world.assure.state();
    let of_capture = state
        .dossiers
        .iter()
        .find_map(|(id, dossier)| Some((id.clone(), dossier.captures.get(page)?.clone())));
    if let Some((dossier, request)) = of_capture {
        let process = state.next_id("process");
        let back = way_back(&request);
        let mut made = Process::new(request, world);
        made.becomes("processing");
        state.dossiers.get_mut(&dossier)?.processes.insert(process.clone(), made);
        return Some((dossier, process, back));
    }
    let process = page.rsplit('/').next()?.to_owned();
    let home = state.dossiers.iter().find(|(_, d)| d.processes.contains_key(&process));
    let dossier = home?.0.clone();
    let there = state.process(&dossier, &process)?;
    if there.status() == "pending" {
        there.becomes("processing");
    }
    let back = way_back(&there.request);
    Some((dossier, process, back))
}

/// Our own address, wherever in the request it stands.
fn way_back(request: &Value) -> Option<String> {
    match request {
        Value::String(text) => text.contains("/return/").then(|| text.clone()),
        Value::Array(all) => all.iter().find_map(way_back),
        Value::Object(members) => members.values().find_map(way_back),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
