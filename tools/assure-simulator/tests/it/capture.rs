use serde_json::{Value, json};

use crate::browser::pairs;
use crate::harness::{Process, Receiver, Simulator};

fn flow(more: Value) -> Value {
    let mut body = json!({
        "providers": [{"provider": "onfido", "processType": "documentSelfie"}],
        "sdk": "native", "redirectUrl": "https://app.example/return",
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Starts a capture flow in a dossier of its own.
async fn start(simulator: &Simulator, more: Value) -> (String, Value) {
    let dossier = simulator.dossier().await;
    let path = format!("/assure/dossiers/{dossier}/capture");
    let answer = simulator.post(&path, flow(more)).await.is(201);
    (dossier, answer)
}

async fn processes(simulator: &Simulator, dossier: &str) -> Vec<Process> {
    let read = simulator.get(&format!("/assure/dossiers/{dossier}")).await.is(200);
    let ids = read["processes"].as_array().unwrap().iter().map(|p| p["processId"].as_str());
    ids.map(|id| Process { dossier: dossier.to_owned(), id: id.unwrap().to_owned() }).collect()
}

/// Opens the page and finds the process it created.
async fn opened(simulator: &Simulator, more: Value) -> (Process, String) {
    let (dossier, answer) = start(simulator, more).await;
    let page = answer["url"].as_str().unwrap().to_owned();
    simulator.open(&page).await.is(200);
    (processes(simulator, &dossier).await.remove(0), page)
}

#[tokio::test]
async fn the_page_creates_the_process_and_starts_verification() {
    let simulator = Simulator::start().await;
    let (dossier, answer) = start(&simulator, json!({})).await;
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    let page = answer["url"].as_str().unwrap();
    assert!(page.starts_with(&format!("{}/capture/", simulator.url)), "{page}");
    assert!(processes(&simulator, &dossier).await.is_empty());

    let shown = simulator.open(page).await.is(200).says("onfido").says("documentSelfie");
    simulator.open(page).await.is(200);
    let process = processes(&simulator, &dossier).await.remove(0);
    assert_eq!(shown.choices()[0], "as-scripted");
    assert_eq!(shown.choices().last(), Some(&"again"));
    assert_eq!(simulator.status_of(&process).await, "pending");

    let (_, parameters) = simulator.choose(page, "done").await.redirect();
    let expected = [
        ("dossierId", process.dossier.as_str()),
        ("processId", process.id.as_str()),
        ("status", "processing"),
    ];
    assert_eq!(parameters, pairs(&expected));
    simulator.reaches(&process, "accepted").await;
    simulator.open(page).await.is(410).says("This page is used");
    assert_eq!(processes(&simulator, &dossier).await.len(), 1);
}

#[tokio::test]
async fn it_ends_as_scripted_or_as_chosen_and_calls_back() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;
    let asked = json!({
        "notificationUrl": receiver.url, "authorizationHeader": "Bearer secret",
        "eventTags": ["simulate:rejected"],
    });

    for (word, status) in [("done", "rejected"), ("inconclusive", "inconclusive")] {
        let (process, page) = opened(&simulator, asked.clone()).await;
        let (_, parameters) = simulator.choose(&page, word).await.redirect();
        assert_eq!(parameters[2].1, "processing");
        simulator.reaches(&process, status).await;
        let received = receiver.next().await;
        assert_eq!(received.body["processId"], process.id.as_str());
        assert_eq!(received.body["status"], status);
        assert_eq!(received.authorization.as_deref(), Some("Bearer secret"));
    }
}

#[tokio::test]
async fn canceling_ends_at_once() {
    let simulator = Simulator::start().await;
    let (process, page) = opened(&simulator, json!({})).await;

    let (_, parameters) = simulator.choose(&page, "canceled").await.redirect();

    assert_eq!(parameters[2].1, "canceled");
    assert_eq!(simulator.status_of(&process).await, "canceled");
}

#[tokio::test]
async fn starting_again_cancels_the_process_and_makes_another() {
    let simulator = Simulator::start().await;
    let (first, page) = opened(&simulator, json!({})).await;

    let shown = simulator.choose(&page, "again").await.is(303);

    assert_eq!(shown.location.as_deref(), Some(page.as_str()));
    let mut all = processes(&simulator, &first.dossier).await;
    assert_eq!(all.len(), 2);
    let second = all.pop().unwrap();
    assert_eq!(simulator.status_of(&first).await, "canceled");
    assert_eq!(simulator.status_of(&second).await, "pending");
    simulator.open(&page).await.is(200).says(&second.id);
    simulator.choose(&page, "done").await.is(303);
    simulator.reaches(&second, "accepted").await;
}

#[tokio::test]
async fn the_process_may_be_there_from_the_start_and_be_told() {
    let simulator = Simulator::start().await;

    let silent = json!({"eventTags": ["simulate:process-at-start"]});
    let (dossier, answer) = start(&simulator, silent).await;
    assert_eq!(answer["processId"], Value::Null);
    assert_eq!(processes(&simulator, &dossier).await.len(), 1);

    let told = json!({"eventTags": ["simulate:tells-process-id"]});
    let (dossier, answer) = start(&simulator, told).await;
    let process = processes(&simulator, &dossier).await.remove(0);
    assert_eq!(answer["processId"], process.id.as_str());
    let page = answer["url"].as_str().unwrap();
    simulator.open(page).await.is(200).says(&process.id);
    assert_eq!(simulator.state_of(&process).await["pages"], json!([page]));

    let listed = simulator.get("/assure/processes?startCreationDate=2020-01-01T00:00:00Z").await;
    assert_eq!(listed.is(200)["totalResults"], 2);
}

#[tokio::test]
async fn the_state_shows_captures_nobody_has_opened() {
    let simulator = Simulator::start().await;
    let (_, answer) = start(&simulator, json!({})).await;

    let state = simulator.get("/simulator/state").await.is(200);

    let expected = json!([{
        "url": answer["url"], "provider": "onfido", "processType": "documentSelfie",
        "processId": null, "used": false,
    }]);
    assert_eq!(state["dossiers"][0]["captures"], expected);
}

#[tokio::test]
async fn the_body_is_read_as_the_vendors_samples_are_written() {
    let simulator = Simulator::start().await;
    for (provider, name) in [
        (json!({"provider": "eid", "processType": "substantial"}), "signicatvideoid"),
        (json!({"provider": "paper", "redact": ["photo"]}), "signicatpaper"),
        (json!({"provider": "readid", "processType": "ready"}), "readid"),
        (json!({"provider": "signicatpictureid", "documentId": 102}), "signicatpictureid"),
        (json!({"provider": "signicatpictureid"}), "signicatpictureid"),
        (webid(), "webid"),
    ] {
        let more = json!({"providers": [provider], "sdk": null, "captureParameters": null});
        let (process, _) = opened(&simulator, more).await;
        assert_eq!(simulator.state_of(&process).await["provider"], name);
    }
}

#[tokio::test]
async fn a_flow_that_can_not_be_is_refused() {
    let simulator = Simulator::start().await;
    let dossier = simulator.dossier().await;
    let path = format!("/assure/dossiers/{dossier}/capture");
    for more in [
        json!({"providers": []}),
        json!({"providers": [{"provider": "onfido"}, {"provider": "signicatpaper"}]}),
        json!({"providers": {"provider": "onfido"}}),
        json!({"providers": [{"provider": "unheard-of"}]}),
        json!({"providers": [{"provider": "facetec"}]}),
        json!({"providers": [{"provider": "connect:idin"}]}),
        json!({"providers": [{"provider": "readid"}]}),
        json!({"providers": [{"provider": "webid", "processType": "videoid"}]}),
        json!({"providers": [{"provider": "signicatvideoid"}], "sdk": "capture"}),
        json!({"sdk": "own"}),
        json!({"redirectUrl": null}),
        json!({"redirectUrl": "javascript:alert(1)"}),
        json!({"notificationUrl": "somewhere"}),
        json!({"captureParameters": "none"}),
        json!({"eventTags": "simulate:accepted"}),
        json!({"eventTags": ["simulate:acepted"]}),
    ] {
        let answer = simulator.post(&path, flow(more.clone())).await;
        assert_eq!(answer.status, 400, "{more}");
    }
    simulator.post("/assure/dossiers/none/capture", flow(json!({}))).await.is(404);
    let calls = simulator.get("/simulator/calls").await.is(200);
    assert_eq!(calls["counts"]["startCapture"], 17);
}

#[tokio::test]
async fn a_page_goes_with_its_dossier() {
    let simulator = Simulator::start().await;
    let (dossier, answer) = start(&simulator, json!({})).await;
    let page = answer["url"].as_str().unwrap();

    simulator.delete(&format!("/assure/dossiers/{dossier}")).await.is(204);

    simulator.open(page).await.is(404);
    simulator.choose(page, "done").await.is(404);
    simulator.choose(page, "again").await.is(404);
}

fn webid() -> Value {
    json!({"provider": "webid", "processType": "videoid", "webid": {
        "user": {
            "firstName": "Fiktiva", "lastName": "Testperson", "dateOfBirth": "1990-01-01",
            "contact": {"email": "nobody@app.example"},
        },
        "idDocument": {"nationality": "DEU"},
        "userActionParameters": {
            "redirectUrl": "https://app.example/done",
            "redirectDeclineUrl": "https://app.example/declined",
            "redirectMismatchUrl": "https://app.example/mismatch",
            "redirectCancelUrl": "https://app.example/canceled",
            "clientName": "Client", "productType": "product",
        },
    }})
}
