//! What each call does and answers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

use super::model::{Assure, Dossier, Process, State, stamp};
use crate::{Plant, world::World};

/// A call as it has arrived.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
}

/// Status and body.
pub(crate) type Said = (u16, Value);

const GONE: u16 = 404;

impl Call {
    /// Whether it starts a verification; then the process.
    pub(crate) fn starts(&self) -> Option<&str> {
        let path: Vec<_> = self.path.iter().map(String::as_str).collect();
        match (self.method.as_str(), path.as_slice()) {
            ("POST", ["dossiers", _, "processes", process]) => Some(process),
            _ => None,
        }
    }

    /// The start of the process that this is an image of.
    pub(crate) fn start(&self) -> Self {
        let process = self.path.len().saturating_sub(1);
        Self { path: self.path[..process].to_vec(), body: Value::Null, ..self.clone() }
    }

    pub(crate) fn take_effect(self, world: &Arc<World>) -> Said {
        let Self { method, path, query, body } = self;
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        let mut state = world.assure.state();
        match (method.as_str(), path.as_slice()) {
            ("POST", ["token"]) => (200, json!({ "access_token": "token", "expires_in": 600 })),
            ("POST", ["dossiers"]) => create_dossier(&mut state, &body, world),
            ("GET", ["dossiers"]) => {
                let all = state.dossiers.iter().map(|(id, dossier)| told_dossier(id, dossier));
                (200, all.collect())
            }
            ("GET", ["processes"]) => list(&state, &query, world),
            ("GET", ["dossiers", id]) => details(&state, id, world),
            ("DELETE", ["dossiers", id]) => delete_dossier(&mut state, id, world),
            ("POST" | "PUT", ["dossiers", id, "userdata"]) => {
                let Some(dossier) = state.dossiers.get_mut(*id) else { return (GONE, Value::Null) };
                let is_there = std::mem::replace(&mut dossier.has_user_data, true);
                (if is_there && method == Method::POST { 409 } else { 200 }, Value::Null)
            }
            ("POST", ["dossiers", id, "processes"]) => create_process(&mut state, id, body, world),
            ("POST", ["dossiers", id, "capture"]) => start_capture(&mut state, id, body),
            ("POST", ["dossiers", id, "processes", process, "images"]) => {
                set_image(&mut state, (id, process), &body, world)
            }
            ("POST", ["dossiers", id, "processes", process]) => {
                start(&mut state, (id, process), world)
            }
            ("GET", ["dossiers", id, "processes", process]) => {
                get_process(&mut state, (id, process), world)
            }
            ("DELETE", ["dossiers", id, "processes", process]) => {
                delete_process(&mut state, (id, process), world)
            }
            _ => (GONE, Value::Null),
        }
    }
}

fn create_dossier(state: &mut State, body: &Value, world: &World) -> Said {
    let id = state.next_id("dossier");
    let dossier = Dossier {
        reference: body["externalReference"].as_str().unwrap_or_default().to_owned(),
        created_at: world.server_time(),
        has_user_data: false,
        processes: BTreeMap::new(),
        captures: BTreeMap::new(),
    };
    let said = told_dossier(&id, &dossier);
    state.dossiers.insert(id, dossier);
    (201, said)
}

fn told_dossier(id: &str, dossier: &Dossier) -> Value {
    json!({
        "dossierId": id, "externalReference": dossier.reference,
        "createdAt": stamp(dossier.created_at),
    })
}

fn details(state: &State, id: &str, world: &World) -> Said {
    let Some(dossier) = state.dossiers.get(id) else { return (GONE, Value::Null) };
    let lag = lag(world);
    let processes = dossier.processes.iter().map(|(process, there)| told(id, process, there, lag));
    let mut said = told_dossier(id, dossier);
    said["processes"] = processes.collect();
    (200, said)
}

fn told(dossier: &str, id: &str, process: &Process, lag: Duration) -> Value {
    json!({
        "processId": id, "dossier": { "dossierId": dossier }, "status": process.status_before(lag),
        "provider": provider(&process.request)["provider"],
        "processType": provider(&process.request)["processType"],
        "createdAt": stamp(process.created_at),
    })
}

/// Of a capture the provider stands in a list.
fn provider(request: &Value) -> &Value {
    if request["providers"].is_array() { &request["providers"][0] } else { request }
}

fn list(state: &State, query: &[(String, String)], world: &World) -> Said {
    let wanted: Vec<_> =
        query.iter().filter(|(name, _)| name == "status").map(|(_, status)| status).collect();
    let lag = lag(world);
    let all = state.dossiers.iter().flat_map(|(id, dossier)| {
        dossier.processes.iter().map(move |(process, there)| (id, process, there))
    });
    let of_status = |process: &Process| {
        wanted.is_empty() || wanted.iter().any(|status| *status == process.status_before(lag))
    };
    let listed: Vec<_> = all
        .filter(|(_, _, process)| of_status(process))
        .map(|(id, process, there)| told(id, process, there, lag))
        .collect();
    (200, json!({ "totalResults": listed.len(), "processes": listed }))
}

fn create_process(state: &mut State, dossier: &str, body: Value, world: &World) -> Said {
    let id = state.next_id("process");
    let Some(there) = state.dossiers.get_mut(dossier) else { return (GONE, Value::Null) };
    let said = json!({
        "processId": id, "provider": body["provider"], "status": "pending", "documentPages": 1,
        "authorization": "for the SDK", "redirectUrl": format!("https://page.example/{id}"),
    });
    there.processes.insert(id, Process::new(body, world));
    (201, said)
}

fn start_capture(state: &mut State, dossier: &str, body: Value) -> Said {
    let page = format!("https://page.example/{}", state.next_id("capture"));
    let Some(there) = state.dossiers.get_mut(dossier) else { return (GONE, Value::Null) };
    there.captures.insert(page.clone(), body);
    (200, json!({ "url": page }))
}

fn set_image(state: &mut State, (dossier, id): (&str, &str), body: &Value, world: &World) -> Said {
    let Some(process) = state.process(dossier, id) else { return (GONE, Value::Null) };
    if process.status() != "pending" {
        return (409, Value::Null);
    }
    for (depiction, image) in body.as_object().into_iter().flatten() {
        let encoded = image.as_str().and_then(|url| url.split_once(";base64,"));
        let bytes = encoded.and_then(|(_, encoded)| STANDARD.decode(encoded).ok());
        let Some(bytes) = bytes else { return (400, Value::Null) };
        process.images.insert(depiction.clone(), bytes.len() as u64);
        world.judge.image_accepted(id, depiction);
    }
    (200, Value::Null)
}

fn start(state: &mut State, (dossier, id): (&str, &str), world: &Arc<World>) -> Said {
    let Some(process) = state.process(dossier, id) else { return (GONE, Value::Null) };
    if process.status() != "pending" {
        return (409, Value::Null);
    }
    let takes_images = process.request["processType"] == json!("documentSelfie");
    if takes_images && !["front", "selfie"].iter().all(|d| process.images.contains_key(*d)) {
        return (400, Value::Null);
    }
    process.becomes("processing");
    world.trace.say(|| format!("Assure: verification of {id} starts"));
    world.judge.started(id, &process.images);
    Assure::work_on(world, dossier, id);
    (200, json!({ "processId": id, "status": "processing" }))
}

fn get_process(state: &mut State, (dossier, id): (&str, &str), world: &World) -> Said {
    let process = state.process(dossier, id);
    let process = process.filter(|_| !world.is_planted(Plant::ProcessesHidden));
    let Some(process) = process else { return (GONE, Value::Null) };
    let status = if world.is_planted(Plant::EverythingAccepted) {
        "accepted"
    } else if world.is_planted(Plant::NothingFinal) {
        "processing"
    } else {
        process.status_before(lag(world))
    };
    (200, json!({ "processId": id, "status": status, "finalResult": { "firstName": "Ada" } }))
}

fn delete_process(state: &mut State, (dossier, id): (&str, &str), world: &World) -> Said {
    match state.process(dossier, id) {
        None => (GONE, Value::Null),
        // A provider at work refuses, for a while.
        Some(process) if process.status() == "processing" && world.happens(0.5) => {
            (409, Value::Null)
        }
        Some(_) => {
            if !world.is_planted(Plant::NothingDeletedInAssure) {
                state.delete_process(dossier, id);
            }
            (204, Value::Null)
        }
    }
}

fn delete_dossier(state: &mut State, id: &str, world: &World) -> Said {
    let is_there = match world.is_planted(Plant::NothingDeletedInAssure) {
        true => state.dossiers.contains_key(id),
        false => state.delete_dossier(id),
    };
    (if is_there { 204 } else { GONE }, Value::Null)
}

/// By how much what is read of statuses is behind.
fn lag(world: &World) -> Duration {
    match world.happens(world.profile().assure_lag) {
        true => world.dice.milliseconds(0..10_000),
        false => Duration::ZERO,
    }
}
