//! `kill -9` and SIGTERM of anybody at any step: the end comes later, and nothing else changes.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::{FutureExt, future::join_all};
use serde_json::json;

use super::harness::{
    Chance, Fleet, INTAKE, Journey, NORMALISER, Plan, RECEIVER, UPLOAD, VERIFIER, soon, try_ask,
};
use crate::harness::{Trickle, jpeg};

const NATS: &str = "nats-server";
const SERVICES: [&str; 5] = [INTAKE, UPLOAD, VERIFIER, RECEIVER, NORMALISER];
/// How many crashes one run tries, beside the one that everybody else has to wait for.
const CRASHES: u64 = 7;
const OUTCOMES: [&str; 4] = ["accepted", "rejected", "inconclusive", "failed"];

/// A step of the flow, by which it can be known from outside.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// An event is being stored.
    Told(&'static str),
    /// A call has reached Assure, which takes its time to answer.
    Asked(&'static str),
}

/// Every step, and whose it is.
const STEPS: [(Step, &str); 14] = [
    (Step::Told("verification-requested"), INTAKE),
    (Step::Asked("createDossier"), INTAKE),
    (Step::Told("dossier-created"), INTAKE),
    (Step::Asked("createProcess"), INTAKE),
    (Step::Told("process-created"), INTAKE),
    (Step::Told("upload-started"), UPLOAD),
    (Step::Asked("setImages"), UPLOAD),
    (Step::Told("image-uploaded"), UPLOAD),
    (Step::Told("submission-requested"), INTAKE),
    (Step::Asked("startVerification"), VERIFIER),
    (Step::Told("verification-started"), VERIFIER),
    (Step::Told("completion-signalled"), RECEIVER),
    (Step::Asked("getProcess"), NORMALISER),
    (Step::Told("process-finished"), NORMALISER),
];

impl Step {
    /// Answers when the step has come.
    async fn awaited<'a>(
        self,
        fleet: &'a Fleet,
        chance: &mut Chance,
    ) -> impl Future<Output = ()> + use<'a> {
        let told = match self {
            Self::Told(event) => Some(fleet.told(event).await),
            Self::Asked(operation) => {
                let carried_out = *chance.pick(&[false, true]);
                let more = json!({ "when": { "next": 1 }, "carriedOut": carried_out });
                let slow = json!({ "slow": { "ms": 500 } });
                fleet.simulator.goes_wrong(operation, slow, more).await;
                None
            }
        };
        async move {
            match (told, self) {
                (Some(told), _) => drop(told.await),
                (None, Self::Asked(operation) | Self::Told(operation)) => {
                    fleet.is_asked(operation).await;
                }
            }
        }
    }
}

/// One verification, while this happens to somebody.
async fn goes_through(victim: &'static str, step: Step, seed: u64, is_kill: bool) {
    let mut chance = Chance::new(seed);
    let outcome = *chance.pick(&OUTCOMES);
    let fleet = Plan::new().start().await;
    let step = step.awaited(&fleet, &mut chance).await;
    let tags = json!({ "tags": [format!("simulate:{outcome}")] });
    let journey = Journey::new(fleet.caller(), "k", tags);

    let happens = async {
        step.await;
        if victim == NATS {
            let mut broker = fleet.broker.lock().await;
            broker.kill().await;
            broker.restart().await;
        } else {
            let member = fleet.the(victim);
            if is_kill {
                member.kill().await
            } else {
                member.stop().await
            }
            member.restart().await;
        }
    };
    let ((v, end), ()) = tokio::join!(journey.goes(), happens);

    fleet.is_at_rest().await;
    fleet.assert_went_through(&v, &end, outcome).await;
}

/// Runs all of them at once, each with a fleet of its own, and tells which of them failed.
#[expect(clippy::print_stdout, reason = "shown when the test fails, to repeat it")]
async fn all_go_through(cases: Vec<(u64, &'static str, Step, bool)>) {
    let runs = cases.into_iter().map(async |(seed, victim, step, is_kill)| {
        let how = if is_kill { "kill -9" } else { "SIGTERM" };
        let what = format!("PROOFLINE_TEST_SEED={seed}: {how} of {victim} at {step:?}");
        println!("{what}");
        let run = AssertUnwindSafe(goes_through(victim, step, seed, is_kill)).catch_unwind();
        run.await.inspect_err(|_| println!("failed: {what}"))
    });
    for run in join_all(runs).await {
        if let Err(panic) = run {
            resume_unwind(panic);
        }
    }
}

#[tokio::test]
async fn a_process_killed_at_any_step_delays_the_end_and_changes_nothing_else() {
    let victims = [INTAKE, UPLOAD, VERIFIER, RECEIVER, NORMALISER, NATS];
    let cases = Chance::seeds(CRASHES).map(|seed| {
        let mut chance = Chance::new(seed);
        let (step, actor) = *chance.pick(&STEPS);
        // Half of the crashes hit whoever is at work.
        let victim = if *chance.pick(&[true, false]) { actor } else { *chance.pick(&victims) };
        (seed, victim, step, true)
    });
    let in_mid_upload = (0, UPLOAD, Step::Asked("setImages"), true);
    all_go_through(cases.chain([in_mid_upload]).collect()).await;
}

#[tokio::test]
async fn a_service_told_to_stop_in_mid_flight_goes_in_time_and_loses_nothing() {
    let cases = Chance::seeds(SERVICES.len() as u64).zip(SERVICES).map(|(seed, service)| {
        let own: Vec<_> = STEPS.into_iter().filter(|(_, actor)| *actor == service).collect();
        (seed, service, Chance::new(seed).pick(&own).0, false)
    });
    all_go_through(cases.collect()).await;
}

#[tokio::test]
async fn an_image_whose_carrier_died_may_come_again_once_its_claim_is_over() {
    let fleet = Plan::new().start().await;
    let journey = Journey::new(fleet.caller(), "k", json!({}));
    let v = journey.begins().await;
    let (trickle, body) = Trickle::new();
    trickle.send(&jpeg("half of it"));
    let started = fleet.told("upload-started").await;
    let half = tokio::spawn(journey.caller.put_image(&v.id, "front").body(body).send());
    started.await;

    fleet.the(UPLOAD).kill().await;
    assert!(half.await.unwrap().is_err());
    fleet.the(UPLOAD).restart().await;

    let again = soon("the upload answers", async || {
        let again = journey.caller.put_image(&v.id, "front").body(jpeg("another"));
        try_ask(again).await.ok_or_else(|| "nothing".to_owned())
    })
    .await;
    again.come_again(409, "upload-in-progress");
    let path = format!("/v1/verifications/{}/submit", v.id);
    let submission = try_ask(journey.caller.post(&path)).await.unwrap();
    submission.come_again(409, "upload-in-progress");
}
