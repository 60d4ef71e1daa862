//! Somebody dies between two calls to Assure: whoever comes again finds one page and one process,
//! and there is one end.

use async_nats::jetstream;
use futures_util::{StreamExt, TryStreamExt, future::join_all};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    end_user::EndUser,
    id_of,
    orders::{capture, eid, enrolment},
    processes_of,
    shared_dossier::in_dossier_of,
};
use crate::{
    harness::{Ask, PATIENCE, Verification, digest, jpeg, order},
    resilience::harness::{Call, Fleet, INTAKE, Journey, NORMALISER, Plan, VERIFIER, soon},
};

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
    /// What the end-user needs is on its way to where it is sealed.
    Sealed,
}

use Crash::{Asked, Done, Sealed, Told};

fn crashes(creates: &'static str) -> [Crash; 9] {
    [
        Asked("createDossier"),
        Done("createDossier"),
        Told("dossier-created"),
        Asked("setUserData"),
        Done("setUserData"),
        Asked(creates),
        Done(creates),
        Sealed,
        Told("process-created"),
    ]
}

impl Crash {
    fn is_done(self, dossiers: &[Value], before: usize) -> bool {
        let Some(dossier) = dossiers.first() else { return false };
        match self {
            Done("setUserData") => dossier["hasUserData"] == true,
            // In a shared dossier there is one before.
            Done("createProcess") => dossier["processes"].as_array().unwrap().len() > before,
            Done("startCapture") => dossier["captures"][0].is_object(),
            Asked(_) | Done(_) | Told(_) | Sealed => true,
        }
    }

    /// Lets a creation get so far at an intake of its own, which dies then; the verification's id.
    async fn strikes(self, fleet: &Fleet, number: usize, key: &str, members: &Value) -> String {
        self.strikes_in(fleet, "", number, key, members).await
    }

    /// The same in the dossier of an earlier verification, if there is one.
    async fn strikes_in(
        self,
        fleet: &Fleet,
        earlier: &str,
        number: usize,
        key: &str,
        members: &Value,
    ) -> String {
        let requested = fleet.told("verification-requested").await;
        let creation = fleet.caller_of(number, 0).post("/v1/verifications").json(&order(members));
        let creation = creation.header("idempotency-key", key);
        let intake = fleet.all(INTAKE)[number];
        match self {
            Told(event) => {
                let told = fleet.told(event).await;
                let creation = tokio::spawn(creation.send());
                told.await;
                intake.kill().await;
                drop(creation.await);
                requested.await
            }
            Sealed => {
                let sealing = sealing(fleet, "next-action").await;
                let creation = tokio::spawn(creation.send());
                sealing.await;
                intake.kill().await;
                drop(creation.await);
                requested.await
            }
            Asked(operation) | Done(operation) => {
                let is_done = matches!(self, Done(_));
                let more = json!({ "when": { "next": 1 }, "carriedOut": is_done });
                let stuck = json!({ "slow": { "ms": STUCK } });
                fleet.simulator.goes_wrong(operation, stuck, more).await;
                let creation = tokio::spawn(creation.send());
                let id = requested.await;
                soon(&format!("it got stuck: {self:?}"), async || {
                    let calls = fleet.calls().await;
                    let waits = |call: &Call| call.is(operation) && call.answered_at_ms.is_none();
                    let before = usize::from(!earlier.is_empty());
                    let owner = if earlier.is_empty() { id.as_str() } else { earlier };
                    let dossiers = fleet.dossiers_of(owner).await;
                    let is_it = calls.last().is_some_and(waits);
                    let is_it = is_it && (!is_done || self.is_done(&dossiers, before));
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

/// Waits until a document of this kind is on its way to where it is sealed, from now on.
async fn sealing(fleet: &Fleet, kind: &'static str) -> impl Future<Output = ()> + use<> {
    let mut sealing = fleet.nats.subscribe("$KV.SEALED.>").await.unwrap();
    // From here on nothing is missed.
    fleet.nats.flush().await.unwrap();
    async move {
        let comes = async {
            while let Some(document) = sealing.next().await {
                if document.subject.splitn(5, '.').nth(4).is_some_and(|name| name.starts_with(kind))
                {
                    return;
                }
            }
        };
        timeout(PATIENCE, comes).await.expect("nothing was sealed");
    }
}

/// What must be so of one that went through, whatever happened on its way.
async fn assert_went_through(fleet: &Fleet, v: &Verification, end: &Value, what: &str) {
    assert_eq!(end["outcome"], "accepted", "{what}: {end}");
    let dossiers = fleet.dossiers_of(&v.id).await;
    assert_eq!(dossiers.len(), 1, "{what}: {dossiers:?}");
    assert_eq!(dossiers[0]["dossierId"], end["dossier_id"], "{what}");
    let processes = dossiers[0]["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 1, "{what}: {processes:?}");
    assert_eq!(processes[0]["processId"], end["process_id"], "{what}");
    let ends = fleet.ends_of(&v.id).await;
    assert_eq!(ends.len(), 1, "{what}: {ends:?}");
    assert_eq!(ends[0].event.process_id, end["process_id"].as_str().unwrap(), "{what}");
}

/// What is created, and by which call to Assure.
fn creations() -> [(&'static str, Value); 3] {
    let at_start = json!({ "tags": ["simulate:process-at-start"] });
    [
        ("startCapture", capture(&json!({}))),
        ("startCapture", capture(&at_start)),
        ("createProcess", eid(&json!({}))),
    ]
}

#[tokio::test]
async fn a_crash_at_any_step_is_resumed_with_one_page_and_one_process_in_use() {
    let mut cases = Vec::new();
    for (creates, mut members) in creations() {
        members["user_data"] = json!({ "firstName": "INGA" });
        cases.extend(crashes(creates).map(|crash| (crash, members.clone())));
    }
    let fleet = Plan::new().replicas(INTAKE, cases.len() + 1).start().await;
    let mut ids = Vec::new();
    for (number, (crash, members)) in cases.iter().enumerate() {
        ids.push(crash.strikes(&fleet, number, &format!("key {number}"), members).await);
    }
    let resumed =
        cases.iter().zip(&ids).enumerate().map(async |(number, ((crash, members), id))| {
            // Whoever comes again meets the only intake that lives.
            let caller = fleet.caller_of(cases.len(), 0);
            let end_user = EndUser::new(&caller.http);
            let journey = Journey::new(caller, format!("key {number}"), members.clone());
            let v = journey.begins().await;
            assert_eq!(v.id, *id, "{crash:?}");
            let again = journey.begins().await;
            assert_eq!(again.created["next_action"], v.created["next_action"], "{crash:?}");
            end_user.goes_through(&v, "accepted").await;
            let end = journey.ends(&v).await;
            (v, end)
        });

    let all = join_all(resumed).await;

    for ((v, end), (crash, members)) in all.iter().zip(&cases) {
        assert_went_through(&fleet, v, end, &format!("{crash:?} {members}")).await;
        assert_eq!(fleet.dossiers_of(&v.id).await[0]["hasUserData"], true, "{crash:?}");
    }
    assert_eq!(fleet.simulator.dossiers().await.len(), cases.len(), "orphans are left");
}

#[tokio::test]
async fn in_a_shared_dossier_a_creation_is_resumed_without_touching_the_others_processes() {
    let steps = [
        (Asked("getDossier"), eid(&json!({}))),
        (Told("dossier-created"), eid(&json!({}))),
        (Done("createProcess"), eid(&json!({}))),
        (Done("startCapture"), capture(&json!({ "tags": ["simulate:process-at-start"] }))),
    ];
    let fleet = Plan::new().replicas(INTAKE, steps.len() + 1).start().await;
    let mut struck = Vec::new();
    for (number, (crash, members)) in steps.iter().enumerate() {
        let caller = fleet.caller_of(steps.len(), 0);
        let earlier = Journey::new(caller, format!("earlier {number}"), json!({}));
        let (earlier, _) = earlier.goes().await;
        let members = in_dossier_of(&earlier, members.clone());
        let key = format!("key {number}");
        // What a call is about is seen in the earlier one's dossier.
        let id = crash.strikes_in(&fleet, &earlier.id, number, &key, &members).await;
        struck.push((earlier, members, id));
    }
    let resumed = struck.iter().enumerate().map(async |(number, (earlier, members, id))| {
        let caller = fleet.caller_of(steps.len(), 0);
        let end_user = EndUser::new(&caller.http);
        let journey = Journey::new(caller, format!("key {number}"), members.clone());
        let v = journey.begins().await;
        assert_eq!((&v.id, &v.dossier_id), (id, &earlier.dossier_id));
        end_user.goes_through(&v, "accepted").await;
        let end = journey.ends(&v).await;
        (v, end)
    });

    let all = join_all(resumed).await;

    for (((v, end), (earlier, _, _)), (crash, _)) in all.iter().zip(&struck).zip(&steps) {
        assert_eq!(end["outcome"], "accepted", "{crash:?}");
        let processes = processes_of(&fleet.simulator, v).await;
        let ids: Vec<_> = processes.iter().map(id_of).collect();
        assert_eq!(ids, [&earlier.process_id, end["process_id"].as_str().unwrap()], "{crash:?}");
        assert_eq!(fleet.ends_of(&v.id).await.len(), 1, "{crash:?}");
    }
}

#[tokio::test]
async fn a_normaliser_that_dies_between_sealing_and_telling_tells_later_and_once() {
    let all = [capture(&json!({})), eid(&json!({}))].map(async |order| {
        let fleet = Plan::new().start().await;
        let journey = Journey::new(fleet.caller(), "k", order);
        let end_user = EndUser::new(&journey.caller.http);
        let v = journey.begins().await;
        let sealing = sealing(&fleet, "result").await;
        let dies = async {
            sealing.await;
            fleet.the(NORMALISER).kill().await;
            fleet.the(NORMALISER).restart().await;
        };
        tokio::join!(end_user.goes_through(&v, "accepted"), dies);

        let end = journey.ends(&v).await;

        fleet.is_at_rest().await;
        assert_went_through(&fleet, &v, &end, "sealed").await;
        let result = journey.caller.get(&format!("/v1/verifications/{}/result", v.id));
        let result = result.ask().await.is(200);
        assert_eq!(result["process"]["processId"], end["process_id"]);
    });
    join_all(all).await;
}

/// The names of what is sealed for a verification now.
async fn sealed(fleet: &Fleet, v: &Verification) -> Vec<String> {
    let stream = jetstream::new(fleet.nats.clone()).get_stream("KV_SEALED").await.unwrap();
    let prefix = format!("$KV.SEALED.acme.{}.", v.id);
    let subjects = stream.info_with_subjects(format!("{prefix}>")).await.unwrap();
    let subjects: Vec<(String, usize)> = subjects.try_collect().await.unwrap();
    subjects.into_iter().map(|(subject, _)| subject.replace(&prefix, "")).collect()
}

#[tokio::test]
async fn a_verifier_that_dies_around_the_start_with_an_enrolment_starts_it_once() {
    let steps =
        [Asked("startVerification"), Done("startVerification"), Told("verification-started")];
    let all = steps.map(async |step| {
        let fleet = Plan::new().start().await;
        let journey = Journey::new(fleet.caller(), "k", enrolment(&json!({})));
        let v = journey.begins().await;
        let upload = journey.caller.put_image(&v.id, "selfie").body(jpeg("selfie"));
        upload.ask().await.says_nothing(204);
        let told = fleet.told("verification-started").await;
        if let Asked(operation) | Done(operation) = step {
            let more = json!({ "when": { "next": 1 }, "carriedOut": matches!(step, Done(_)) });
            let stuck = json!({ "slow": { "ms": STUCK } });
            fleet.simulator.goes_wrong(operation, stuck, more).await;
        }
        let enrolled = json!({ "faceScan": "scan of nobody" });
        let parameters = json!({ "facetecEnrollment": enrolled, "imageDepiction": "selfie" });
        let request = journey.caller.post(&format!("/v1/verifications/{}/submit", v.id));
        let request = request.json(&json!({ "parameters": parameters }));
        request.ask().await.is(202);
        match step {
            Told(_) | Sealed => drop(told.await),
            Asked(operation) | Done(operation) => fleet.is_asked(operation).await,
        }
        fleet.the(VERIFIER).kill().await;
        fleet.the(VERIFIER).restart().await;

        let end = journey.ends(&v).await;

        fleet.is_at_rest().await;
        assert_went_through(&fleet, &v, &end, &format!("{step:?}")).await;
        let process = processes_of(&fleet.simulator, &v).await.remove(0);
        assert_eq!(id_of(&process), v.process_id);
        assert_eq!(process["verified"], json!({ "selfie": digest(&jpeg("selfie")) }), "{step:?}");
        let names = sealed(&fleet, &v).await;
        assert_eq!(names, ["result-accepted"], "{step:?}");
    });
    join_all(all).await;
}
