use serde_json::json;

use crate::harness::{JPEG, Simulator, data_url, document};

#[tokio::test]
async fn a_rule_for_an_external_reference_decides_the_outcome() {
    let simulator = Simulator::start().await;
    let rule = json!({"match": {"externalReference": "vrf_1"}, "script": {"outcome": "rejected"}});
    simulator.post("/simulator/scripts", rule).await.is(201);

    for (reference, outcome) in
        [("vrf_1", "rejected"), ("vrf_2", "accepted"), ("simulate:inconclusive", "inconclusive")]
    {
        let body = json!({"externalReference": reference});
        let dossier = simulator.post("/assure/dossiers", body).await.is(201);
        let dossier = dossier["dossierId"].as_str().unwrap().to_owned();
        let process = simulator.process_in(dossier, document(json!({}))).await;
        simulator.post(&process.images(), json!({"front": data_url(JPEG)})).await.is(201);
        simulator.post(&process.path(), json!({})).await.is(200);
        simulator.reaches(&process, outcome).await;
    }
}

#[tokio::test]
async fn a_rule_reaches_processes_that_have_not_ended() {
    let simulator = Simulator::start().await;
    let waiting = simulator.process_with_front(json!({"eventTags": ["simulate:rejected"]})).await;
    let script = json!({
        "outcome": "canceled", "processingTimeMs": 1,
        "callback": {"lost": true, "copies": 3, "delayMs": 5, "early": true, "lie": "failed"},
        "getProcessLagMs": 2, "acceptedWithoutFinalResult": true, "startRefused": false,
        "page": {
            "addressMember": "both", "returnFirst": true, "processAtStart": true,
            "tellsProcessId": true,
        },
        "webhook": {"lost": true, "copies": 2, "untagged": true, "delayMs": 6},
        "result": {
            "sample": "readid-accepted", "userInfo": "signed", "quirks": true, "future": true,
            "largeResultKib": 1,
        },
    });
    let rule = json!({"match": {"processId": waiting.id}, "script": script});

    simulator.post("/simulator/scripts", rule).await.is(201);

    assert_eq!(simulator.state_of(&waiting).await["script"], script);
    simulator.post(&waiting.path(), json!({})).await.is(200);
    simulator.reaches(&waiting, "canceled").await;
}

#[tokio::test]
async fn rules_can_be_for_a_tag_or_for_all_and_be_taken_back() {
    let simulator = Simulator::start().await;
    let outcome = async |tag: &str| {
        let process = simulator.started(json!({"eventTags": [tag]})).await;
        simulator.state_of(&process).await["script"]["outcome"].clone()
    };
    let add = async |rule| simulator.post("/simulator/scripts", rule).await;

    add(json!({"match": {"tag": "order-1"}, "script": {"outcome": "rejected"}})).await.is(201);
    add(json!({"match": {"all": true}, "script": {"outcome": "failed"}})).await.is(201);
    assert_eq!(outcome("order-1").await, "rejected");
    assert_eq!(outcome("order-2").await, "failed");

    simulator.delete("/simulator/scripts").await.is(204);
    assert_eq!(outcome("order-1").await, "accepted");
}

#[tokio::test]
async fn nonsense_is_refused_by_the_admin_api_and_in_tags() {
    let simulator = Simulator::start().await;

    for rule in [
        json!({"match": {}, "script": {"outcome": "rejected"}}),
        json!({"match": {"all": true}, "script": {"outcom": "rejected"}}),
        json!({"match": {"everybody": true}, "script": {}}),
        json!({"script": {}}),
    ] {
        simulator.post("/simulator/scripts", rule).await.is(400);
    }
    let path = format!("/assure/dossiers/{}/processes", simulator.dossier().await);
    let tags = document(json!({"eventTags": ["simulate:acepted"]}));
    let refused = simulator.post(&path, tags).await.is(400);
    assert_eq!(refused["detail"], "The simulator knows no word \"acepted\".");
}

#[tokio::test]
async fn a_process_can_be_finished_at_once_and_can_vanish() {
    let simulator = Simulator::start().await;
    let process = simulator.process(document(json!({}))).await;
    let admin = format!("/simulator/processes/{}", process.id);
    let finish = format!("{admin}/finish");

    simulator.post(&finish, json!({"status": "processing"})).await.is(400);
    let finished = simulator.post(&finish, json!({"status": "inconclusive"})).await.is(200);
    assert_eq!(finished["status"], "inconclusive");
    assert_eq!(simulator.get(&process.path()).await.is(200)["status"], "inconclusive");
    simulator.post(&finish, json!({})).await.is(409);

    simulator.delete(&admin).await.is(204);
    simulator.get(&process.path()).await.is(404);
    simulator.delete(&admin).await.is(404);
    simulator.post(&finish, json!({})).await.is(404);
}
