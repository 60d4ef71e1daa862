//! What must be true once nothing goes wrong any more and everything had its time.

use proofline_events::{EventType, VerificationKey};
use proofline_journal::topology::{DEAD_LETTERS, VERIFICATIONS};

use serde_json::json;

use crate::{
    Rule, Violation,
    assure::{Dossier, Process},
    judge::Known,
    world::World,
};

/// Whether every deadline has come, every verification has its end, and every erasure is done.
pub(crate) fn is_at_rest(world: &World) -> bool {
    let (known, now) = (world.judge.known(), world.server_time());
    known.logs.values().all(|log| {
        // A verifier that stood still may have set one late: it is gone when it has come.
        if log.expires_at().is_some_and(|at| at > now) {
            return false;
        }
        let is_erased = !log.has(EventType::ErasureRequested) || log.has(EventType::DataErased);
        log.has(EventType::ProcessFinished) && is_erased
    })
}

pub(crate) fn check(world: &World) {
    let mut wrong = Vec::new();
    let known = world.judge.known();
    for (key, log) in &known.logs {
        let ends = log.all(EventType::ProcessFinished).count();
        if !log.has(EventType::VerificationRequested) {
            wrong.push(Rule::Ledger.broken(format!("{}: a log without a request", key.id)));
        } else if ends != 1 {
            let what = format!("{}: {ends} ends, long past its deadline", key.id);
            wrong.push(Rule::OneEnd.broken(what));
        }
        if world.profile().deletes_after && log.process().is_some_and(|id| is_in_assure(world, id))
        {
            let what = format!("{}: its process is still in Assure", key.id);
            wrong.push(Rule::ErasedInAssure.broken(what));
        }
        if log.has(EventType::ErasureRequested) {
            wrong.extend(not_erased(world, key, &known));
        }
    }
    drop(known);
    world.at_jetstream(|store| {
        for (_, letters) in store.stream(DEAD_LETTERS).on("proofline.dead.>") {
            let letters = letters
                .iter()
                .map(|letter| store.stream(DEAD_LETTERS).messages[letter].subject.clone());
            wrong.extend(
                letters.map(|on| Rule::NoDeadLetter.broken(format!("a dead letter: {on}"))),
            );
        }
        for (name, consumer) in &store.stream(VERIFICATIONS).consumers {
            for unsettled in consumer.unsettled.keys() {
                wrong.push(Rule::Settled.broken(format!("{name} never settled {unsettled}")));
            }
        }
    });
    for Violation { rule, what } in wrong {
        world.judge.accuse(rule, what);
    }
}

/// What of an erased verification is still there.
fn not_erased(world: &World, key: &VerificationKey, known: &Known) -> Vec<Violation> {
    let mut wrong = Vec::new();
    if !known.logs[key].has(EventType::DataErased) {
        wrong.push(Rule::Erased.broken(format!("{}: not erased", key.id)));
    }
    world.at_jetstream(|store| {
        let exactly = format!("$KV.DATA_KEYS.{key}");
        if store.stream("KV_DATA_KEYS").last_on(&exactly).is_some() {
            wrong.push(Rule::Erased.broken(format!("{}: its data key is still there", key.id)));
        }
        for bucket in ["SEALED", "PARAMETERS"] {
            let documents = format!("$KV.{bucket}.{key}.>");
            if store.stream(&format!("KV_{bucket}")).last_on(&documents).is_some() {
                wrong.push(
                    Rule::Erased.broken(format!("{}: a sealed document is still there", key.id)),
                );
            }
        }
    });
    wrong.extend(still_in_assure(world, key, known).map(|what| Rule::ErasedInAssure.broken(what)));
    wrong
}

fn is_in_assure(world: &World, process: &str) -> bool {
    let state = world.assure.state();
    state.dossiers.values().any(|dossier| dossier.processes.contains_key(process))
}

fn still_in_assure(world: &World, key: &VerificationKey, known: &Known) -> Option<String> {
    let tag = json!(format!("proofline:{}:{}", key.tenant, key.id));
    let log = &known.logs[key];
    // What an end-user makes with an old address, and nobody tells us of, goes with the dossier.
    let is_told = |process: &Process| {
        let mut heard =
            log.all(EventType::CompletionSignalled).chain(log.all(EventType::ErasureRequested));
        heard.any(|recorded| recorded.envelope.time > process.created_at)
    };
    let is_own = |process: &Process| process.request["eventTags"][0] == tag && is_told(process);
    let state = world.assure.state();
    if state.dossiers.values().any(|dossier| dossier.processes.values().any(is_own)) {
        return Some(format!("{}: a process of it is still in Assure", key.id));
    }
    // One whose creation took effect only after its repeat had looked for it is used by nobody, and
    // has nothing of anybody in it.
    let is_left = |id: &String, dossier: &Dossier| {
        let is_empty = !dossier.has_user_data && dossier.processes.is_empty();
        let mut others = known.logs.values().filter(|log| !log.has(EventType::DataErased));
        dossier.reference == key.id.as_str() && !is_empty && !others.any(|log| log.uses(id))
    };
    let is_there = state.dossiers.iter().any(|(id, dossier)| is_left(id, dossier));
    is_there.then(|| format!("{}: its dossier is still in Assure", key.id))
}
