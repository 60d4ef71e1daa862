use serde_json::{Value, json};

use crate::harness::{Simulator, document};

#[tokio::test]
async fn an_onfido_process_is_pending_and_has_an_sdk_token() {
    let simulator = Simulator::start().await;
    let path = format!("/assure/dossiers/{}/processes", simulator.dossier().await);

    let created = simulator.post(&path, json!({"provider": "onfido"})).await.is(201);

    assert_eq!(created["provider"], "onfido");
    assert_eq!(created["processType"], "documentSelfie");
    assert_eq!(created["status"], "pending");
    assert!(created["authorization"].is_string());
    assert!(created["createdAt"].is_string() && created["updatedAt"].is_string());
    let id = created["processId"].as_str().unwrap();
    let read = simulator.get(&format!("{path}/{id}")).await.is(200);
    assert_eq!(read["status"], "pending");
    assert!(read.get("depictions").is_none() && read.get("authorization").is_none());
    let external = simulator.get(&format!("{path}/{id}/external-id")).await.is(200);
    assert!(external["externalId"].is_string());
}

#[tokio::test]
async fn each_provider_gives_its_artefacts() {
    let simulator = Simulator::start().await;
    let path = format!("/assure/dossiers/{}/processes", simulator.dossier().await);

    for (body, artefact, process_type) in [
        (json!({"provider": "signicatvideoid"}), "providerApiUrl", json!("high")),
        (json!({"provider": "readid"}), "authorization", json!("sdk")),
        (json!({"provider": "readid", "processType": "ready"}), "universalLink", json!("ready")),
        (json!({"provider": "facetec"}), "facetecDeviceKeyIdentifier", Value::Null),
        (
            json!({"provider": "signicatpictureid", "documentId": 102}),
            "documentPages",
            json!("documentSelfie"),
        ),
        (json!({"provider": "signicatpaper", "documentCountry": "NL"}), "status", Value::Null),
        (
            json!({"provider": "connect:idin", "redirectUrl": "https://app.example/"}),
            "redirectUrl",
            Value::Null,
        ),
        (webid(), "redirectUrl", json!("videoid")),
    ] {
        let created = simulator.post(&path, body).await.is(201);
        assert!(created.get(artefact).is_some(), "{created}");
        assert_eq!(created["processType"], process_type);
    }
}

#[tokio::test]
async fn a_creation_that_lacks_or_mistakes_something_is_refused() {
    let simulator = Simulator::start().await;
    let path = format!("/assure/dossiers/{}/processes", simulator.dossier().await);

    for body in [
        json!({}),
        json!({"provider": "unheard-of"}),
        json!({"provider": "connect:"}),
        json!({"provider": "onfido", "processType": "ready"}),
        json!({"provider": "facetec", "processType": "document"}),
        json!({"provider": "onfido", "documentType": "napkin"}),
        json!({"provider": "onfido", "eventTags": "one"}),
        json!({"provider": "onfido", "notificationUrl": "ftp://example.org/"}),
        json!({"provider": "onfido", "authorizationHeader": "two\nlines"}),
        json!({"provider": "signicatpaper"}),
        json!({"provider": "signicatpaper", "documentCountry": "UNIV", "documentType": "visa"}),
        json!({"provider": "signicatpaper", "documentCountry": "NLD", "redact": ["hat"]}),
        json!({"provider": "signicatpaper", "documentCountry": "NLD", "redactionLevel": "total"}),
        json!({"provider": "signicatpictureid"}),
        json!({"provider": "signicatpictureid", "documentId": 9999}),
        json!({"provider": "webid", "processType": "videoid"}),
        json!({"provider": "connect:idin"}),
    ] {
        simulator.post(&path, body).await.is(400);
    }
    simulator.post("/assure/dossiers/nobody/processes", document(json!({}))).await.is(404);
}

#[tokio::test]
async fn a_process_is_found_under_its_own_dossier_only() {
    let simulator = Simulator::start().await;
    let process = simulator.process(document(json!({}))).await;
    let other = simulator.dossier().await;

    let wrong = format!("/assure/dossiers/{other}/processes/{}", process.id);

    simulator.get(&wrong).await.is(404);
    simulator.post(&wrong, json!({})).await.is(404);
    simulator.post(&format!("{wrong}/images"), json!({})).await.is(404);
    simulator.post(&format!("{wrong}/fail"), json!({})).await.is(404);
    simulator.delete(&wrong).await.is(404);
    simulator.get(&process.path()).await.is(200);
}

#[tokio::test]
async fn only_a_pending_process_can_be_failed() {
    let simulator = Simulator::start().await;
    let process = simulator.process(document(json!({}))).await;
    let fail = format!("{}/fail", process.path());

    let failed = simulator.post(&fail, json!({})).await.is(200);
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["reason"]["category"], "User.Request");

    let read = simulator.get(&process.path()).await.is(200);
    assert_eq!(read["failReason"], failed["reason"]);
    simulator.post(&fail, json!({})).await.is(409);
    simulator.post(&process.path(), json!({})).await.is(409);
}

#[tokio::test]
async fn document_types_are_listed_for_providers_that_have_them() {
    let simulator = Simulator::start().await;

    let onfido = simulator.get("/assure/onfido/document-types").await.is(200);
    let numbered = simulator.get("/assure/signicatpictureid/document-types").await.is(200);

    assert_eq!(onfido[0]["country"], "NOR");
    assert!(onfido[0].get("id").is_none());
    assert!(numbered[0]["id"].is_number());
    simulator.get("/assure/facetec/document-types").await.is(204);
    simulator.get("/assure/unheard-of/document-types").await.is(404);
}

pub(crate) fn webid() -> Value {
    json!({"provider": "webid", "processType": "videoid", "processParameters": {"webid": {
        "user": {
            "firstName": "Inga", "lastName": "Oppdiktet", "dateOfBirth": "1991-04-12",
            "contact": {"email": "inga@person.example"},
        },
        "idDocument": {"nationality": "DEU"},
        "userActionParameters": {
            "redirectUrl": "https://app.example/1", "redirectDeclineUrl": "https://app.example/2",
            "redirectMismatchUrl": "https://app.example/3",
            "redirectCancelUrl": "https://app.example/4",
            "clientName": "app", "productType": "account",
        },
    }}})
}
