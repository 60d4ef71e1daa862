use std::time::Duration;

use assure_simulator::Settings;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Simulator, VALID_FORM, quick};

#[tokio::test]
async fn the_right_client_gets_a_token() {
    let simulator = Simulator::start().await;

    let answer = simulator.ask_token("simulator", "simulator-secret", VALID_FORM).await;

    let token = answer.is(200);
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["expires_in"], 600);
    assert_eq!(token["scope"], "signicat-api");
}

#[tokio::test]
async fn token_refusals_have_the_form_of_oauth() {
    let simulator = Simulator::start().await;
    let grant = ("grant_type", "client_credentials");
    let scope = ("scope", "signicat-api");

    for (id, secret, form, status, error) in [
        ("simulator", "wrong", &[grant, scope][..], 401, "invalid_client"),
        ("stranger", "simulator-secret", &[grant, scope], 401, "invalid_client"),
        ("simulator", "simulator-secret", &[scope], 400, "unsupported_grant_type"),
        ("simulator", "simulator-secret", &[grant], 400, "invalid_scope"),
        ("simulator", "simulator-secret", &[grant, ("scope", "x")], 400, "invalid_scope"),
    ] {
        let answer = simulator.ask_token(id, secret, form).await;
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
        assert_eq!(answer.is(status)["error"], error);
    }
}

#[tokio::test]
async fn a_call_without_a_valid_token_is_401_in_the_platforms_shape() {
    let simulator = Simulator::start().await;
    let url = format!("{}/assure/dossiers", simulator.url);

    for token in [None, Some("unknown")] {
        let mut request = simulator.client.post(&url).json(&json!({}));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let body = Answer::of(request.send().await.unwrap()).await.is(401);
        assert_eq!(body["code"], "invalid_token");
        assert_eq!(body["traceId"].as_str().unwrap().len(), 32);
    }
}

#[tokio::test]
async fn a_token_expires_and_can_be_revoked() {
    let settings = Settings { token_lifetime: Duration::ZERO, ..quick() };
    let mut expired = Simulator::start_with(settings).await;
    expired.get("/assure/dossiers").await.is(401);
    expired.renew_token().await;
    expired.get("/assure/dossiers").await.is(401);

    let mut revoked = Simulator::start().await;
    revoked.get("/assure/dossiers").await.is(200);
    revoked.request(Method::DELETE, "/simulator/tokens").send().await.unwrap();
    revoked.get("/assure/dossiers").await.is(401);
    revoked.renew_token().await;
    revoked.get("/assure/dossiers").await.is(200);
}
