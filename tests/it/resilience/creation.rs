//! Creations that are interrupted, raced and repeated: one dossier and one process in use.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::harness::{Call, Fleet, INTAKE, Journey, Plan, persist, soon, try_ask};
use crate::harness::{Ask, End, ends_in, order};

/// Long enough for a process to be killed meanwhile.
const STUCK: u64 = 60_000;

/// How far a creation gets before its intake dies.
#[derive(Debug, Clone, Copy)]
enum Crash {
    /// Assure has been asked this, and has not done it.
    Asked(&'static str),
    /// Assure has done it, and its answer never arrived.
    Done(&'static str),
    /// This is on its way to the log.
    Told(&'static str),
}

const CRASHES: [Crash; 8] = [
    Crash::Asked("createDossier"),
    Crash::Done("createDossier"),
    Crash::Told("dossier-created"),
    Crash::Asked("setUserData"),
    Crash::Done("setUserData"),
    Crash::Asked("createProcess"),
    Crash::Done("createProcess"),
    Crash::Told("process-created"),
];

fn members() -> Value {
    json!({ "user_data": { "firstName": "INGA" } })
}

impl Crash {
    fn is_done(self, dossiers: &[Value]) -> bool {
        let Some(dossier) = dossiers.first() else { return false };
        match self {
            Self::Done("setUserData") => dossier["hasUserData"] == true,
            Self::Done("createProcess") => dossier["processes"][0].is_object(),
            Self::Asked(_) | Self::Done(_) | Self::Told(_) => true,
        }
    }

    /// Lets a creation get so far at an intake of its own, which dies then; the verification's id.
    async fn strikes(self, fleet: &Fleet, number: usize) -> String {
        let requested = fleet.told("verification-requested").await;
        let caller = fleet.caller_of(number, 0);
        let creation = caller.post("/v1/verifications").json(&order(&members()));
        let creation = creation.header("idempotency-key", format!("key {number}"));
        let intake = fleet.all(INTAKE)[number];
        let stuck = json!({ "slow": { "ms": STUCK } });
        match self {
            Self::Told(event) => {
                let told = fleet.told(event).await;
                let creation = tokio::spawn(creation.send());
                told.await;
                intake.kill().await;
                drop(creation.await);
                requested.await
            }
            Self::Asked(operation) | Self::Done(operation) => {
                let is_done = matches!(self, Self::Done(_));
                let more = json!({ "when": { "next": 1 }, "carriedOut": is_done });
                fleet.simulator.goes_wrong(operation, stuck, more).await;
                let creation = tokio::spawn(creation.send());
                let id = requested.await;
                soon(&format!("it got stuck: {self:?}"), async || {
                    let calls = fleet.calls().await;
                    let waits = |call: &Call| call.is(operation) && call.answered_at_ms.is_none();
                    let dossiers = fleet.dossiers_of(&id).await;
                    let is_it = calls.last().is_some_and(waits);
                    let is_it = is_it && (!is_done || self.is_done(&dossiers));
                    if is_it { Ok(()) } else { Err(format!("{calls:?} {dossiers:?}")) }
                })
                .await;
                intake.kill().await;
                assert!(creation.await.unwrap().is_err(), "it was answered");
                id
            }
        }
    }
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_creation_is_resumed_by_its_key_at_any_intake() {
    let fleet = Plan::new().replicas(INTAKE, CRASHES.len() + 1).start().await;
    let mut ids = Vec::new();
    for (number, crash) in CRASHES.into_iter().enumerate() {
        ids.push(crash.strikes(&fleet, number).await);
    }
    // Whoever comes again meets the only intake that lives.
    let resumed = CRASHES.iter().zip(&ids).enumerate().map(async |(number, (crash, id))| {
        let caller = fleet.caller_of(CRASHES.len(), 0);
        let journey = Journey::new(caller, format!("key {number}"), members());
        let v = journey.begins().await;
        assert_eq!(v.id, *id, "{crash:?}");
        journey.is_submitted(&v).await;
        let end = journey.ends(&v).await;
        (v, end)
    });

    let all = join_all(resumed).await;

    for ((v, end), crash) in all.iter().zip(CRASHES) {
        assert_eq!(fleet.dossiers_of(&v.id).await[0]["hasUserData"], true, "{crash:?}");
        fleet.assert_went_through(v, end, "accepted").await;
    }
    assert_eq!(fleet.simulator.dossiers().await.len(), CRASHES.len(), "orphans are left");
}

#[tokio::test]
async fn of_several_creations_at_once_at_two_intakes_one_does_the_work() {
    let fleet = Plan::new().replicas(INTAKE, 2).start().await;
    let slow = json!({ "slow": { "ms": 30 } });
    fleet.simulator.goes_wrong("create*", slow, json!({})).await;
    for round in 0..5 {
        let key = format!("round {round}");
        let several = (0..4).map(async |number| {
            let caller = fleet.caller_of(number, 0);
            persist("a creation", || {
                let request = caller.post("/v1/verifications").json(&order(&json!({})));
                request.header("idempotency-key", &key)
            })
            .await
        });

        let answers = join_all(several).await;

        let created = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(created, 1, "{answers:?}");
        for answer in &answers {
            let is_replayed = answer.header("idempotent-replayed") == Some("true");
            assert_eq!(is_replayed, answer.status == 200, "{answer:?}");
            for member in ["id", "dossier_id", "process_id"] {
                assert_eq!(answer.body[member], answers[0].body[member], "{member}");
            }
        }
        let dossiers = fleet.dossiers_of(answers[0].body["id"].as_str().unwrap()).await;
        assert_eq!(dossiers.len(), 1);
        assert_eq!(dossiers[0]["processes"].as_array().unwrap().len(), 1);
    }
    assert_eq!(fleet.simulator.dossiers().await.len(), 5);
}

/// Waits for the end of the only verification that is not in this list.
async fn another_end(fleet: &Fleet, ids: &[String]) -> End {
    soon("there is another end", async || {
        let ends = ends_in(&fleet.nats).await;
        let is_new = |end: &End| !ids.contains(&end.event.verification_id);
        let mut new: Vec<_> = ends.into_iter().filter(is_new).collect();
        if new.len() == 1 { Ok(new.remove(0)) } else { Err(format!("{new:?}")) }
    })
    .await
}

async fn nothing_is_left(fleet: &Fleet) {
    soon("nothing is left in Assure", async || {
        let dossiers = fleet.simulator.dossiers().await;
        if dossiers.is_empty() { Ok(()) } else { Err(format!("{dossiers:?}")) }
    })
    .await;
}

#[tokio::test]
async fn without_a_key_whatever_breaks_off_has_failed_at_once_and_leaves_nothing_behind() {
    let fleet = Plan::new().start().await;
    let unavailable = || json!({ "status": { "code": 503 } });
    let mut ids = Vec::new();
    for (operation, kind, carried_out) in [
        ("createProcess", unavailable(), false),
        ("createProcess", json!("reset"), true),
        ("setUserData", unavailable(), false),
        ("createDossier", unavailable(), false),
        ("createDossier", json!("cutOff"), true),
    ] {
        let case = format!("{operation} {kind}");
        let more = json!({ "when": { "next": 1 }, "carriedOut": carried_out });
        fleet.simulator.goes_wrong(operation, kind, more).await;

        let creation = fleet.caller().post("/v1/verifications").json(&order(&members()));
        creation.ask().await.come_again(503, "assure-unavailable");

        let end = another_end(&fleet, &ids).await.event;
        assert_eq!(end.outcome().as_str_name(), "OUTCOME_FAILED", "{case}");
        assert_eq!(end.reason_code, "setup-failed", "{case}");
        nothing_is_left(&fleet).await;
        ids.push(end.verification_id);
    }
}

#[tokio::test]
async fn without_a_key_a_creation_whose_intake_died_ends_at_its_deadline_and_leaves_nothing() {
    let fleet = Plan::new().start().await;
    let stuck = json!({ "slow": { "ms": STUCK } });
    let more = json!({ "when": { "next": 1 }, "carriedOut": true });
    fleet.simulator.goes_wrong("createProcess", stuck, more).await;
    let members = order(&json!({ "expires_in_seconds": 2 }));
    let creation = fleet.caller().post("/v1/verifications").json(&members);
    let creation = tokio::spawn(creation.send());
    fleet.is_asked("createProcess").await;
    fleet.the(INTAKE).kill().await;
    assert!(creation.await.unwrap().is_err());

    let end = another_end(&fleet, &[]).await.event;

    assert_eq!(end.outcome().as_str_name(), "OUTCOME_EXPIRED");
    assert_eq!(end.reason_code, "setup-failed");
    nothing_is_left(&fleet).await;
}

#[tokio::test]
async fn an_intake_that_was_away_for_too_long_undoes_nothing_of_what_another_has_done_since() {
    let fleet = Plan::new().replicas(INTAKE, 2).start().await;
    fleet.next_go_wrong("createProcess", json!({ "status": { "code": 503 } }), 1).await;
    let creation = |intake| {
        let request = fleet.caller_of(intake, 0).post("/v1/verifications");
        request.header("idempotency-key", "k").json(&order(&json!({})))
    };
    creation(0).ask().await.come_again(503, "assure-unavailable");
    // It asks what the first attempt has left behind, and is answered at the second try, after
    // its lease has run out and another intake has completed the creation.
    fleet.next_go_wrong("getDossier", json!({ "slow": { "ms": STUCK } }), 1).await;
    fleet.next_go_wrong("getDossier", json!({ "slow": { "ms": 15_000 } }), 1).await;
    let too_long = tokio::spawn(try_ask(creation(0).timeout(Duration::from_secs(60))));
    fleet.is_asked("getDossier").await;

    let journey = Journey::new(fleet.caller_of(1, 0), "k", json!({}));
    let v = journey.begins().await;
    let too_late = too_long.await.unwrap().expect("an answer");

    too_late.come_again(409, "in-progress");
    journey.is_submitted(&v).await;
    let end = journey.ends(&v).await;
    fleet.assert_went_through(&v, &end, "accepted").await;
}
