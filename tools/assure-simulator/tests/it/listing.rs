use serde_json::{Value, json};

use crate::harness::{Process, Simulator, document};

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

#[tokio::test]
async fn processes_are_listed_newest_first_in_pages() {
    let simulator = Simulator::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(simulator.process(document(json!({}))).await);
    }

    let first = list(&simulator, "limit=2").await;
    let last = list(&simulator, "limit=2&offset=4").await;
    let ascending = list(&simulator, "order=createdAtAscending&limit=3").await;

    assert_eq!(ids(&first), expected(&[&made[4], &made[3]]));
    assert_eq!(ids(&last), expected(&[&made[0]]));
    assert_eq!(ids(&ascending), expected(&[&made[0], &made[1], &made[2]]));
    for page in [&first, &last, &ascending] {
        assert_eq!(page["totalResults"], 5);
    }
    assert_eq!(first["filters"]["limit"], 2);
}

#[tokio::test]
async fn an_entry_names_the_dossier_and_what_became_of_it() {
    let simulator = Simulator::start().await;
    let body = json!({"externalReference": "vrf_1"});
    let dossier = simulator.post("/assure/dossiers", body).await.is(201);
    let id = dossier["dossierId"].as_str().unwrap().to_owned();
    let process = simulator.process_in(id, document(json!({}))).await;
    simulator.post(&format!("{}/fail", process.path()), json!({})).await.is(200);

    let listed = list(&simulator, "").await;

    let entry = &listed["processes"][0];
    assert_eq!(entry["dossier"], dossier);
    assert_eq!(entry["provider"], "onfido");
    assert_eq!(entry["processType"], "document");
    assert_eq!(entry["status"], "failed");
    assert_eq!(entry["failReason"]["reason"], "Process.Failed");
    assert!(entry["externalId"].is_string());
}

#[tokio::test]
async fn open_processes_can_be_listed_alone() {
    let simulator = Simulator::start().await;
    let pending = simulator.process(document(json!({}))).await;
    let never = json!({"eventTags": ["simulate:never-finishes"]});
    let processing = simulator.started(never).await;
    let accepted = simulator.started(json!({})).await;
    simulator.reaches(&accepted, "accepted").await;

    let open = list(&simulator, "status=pending&status=processing").await;
    let done = list(&simulator, "status=accepted").await;
    let all = list(&simulator, "").await;

    assert_eq!(ids(&open), expected(&[&processing, &pending]));
    assert_eq!(ids(&done), expected(&[&accepted]));
    assert_eq!(all["totalResults"], 3);
}

#[tokio::test]
async fn creation_dates_bound_the_list() {
    let simulator = Simulator::start().await;
    simulator.process(document(json!({}))).await;
    let get = async |query: &str| {
        let list = simulator.get(&format!("/assure/processes?{query}")).await.is(200);
        list["totalResults"].clone()
    };

    assert_eq!(get("startCreationDate=2999-01-01T00:00:00Z").await, 0);
    assert_eq!(get(&format!("startCreationDate={LONG_AGO}&endCreationDate={LONG_AGO}")).await, 0);
    let until = "endCreationDate=2999-01-01T00:00:00Z";
    assert_eq!(get(&format!("startCreationDate={LONG_AGO}&{until}")).await, 1);
}

#[tokio::test]
async fn bad_filters_are_refused() {
    let simulator = Simulator::start().await;

    for query in ["", "?limit=5", "?startCreationDate=now", "?startCreationDate=2026-01-01"] {
        simulator.get(&format!("/assure/processes{query}")).await.is(400);
    }
}

async fn list(simulator: &Simulator, query: &str) -> Value {
    let path = format!("/assure/processes?startCreationDate={LONG_AGO}&{query}");
    simulator.get(&path).await.is(200)
}

fn ids(list: &Value) -> Vec<Value> {
    let entries = list["processes"].as_array().unwrap();
    entries.iter().map(|p| p["processId"].clone()).collect()
}

fn expected(processes: &[&Process]) -> Vec<Value> {
    processes.iter().map(|p| json!(p.id)).collect()
}
