//! Who may see what.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::harness::{Ask, Caller, Stage, jpeg, order};

const UNKNOWN: &str = "vrf_00000000000000000000000000";

/// Every request about a verification, of every kind.
fn all_about(caller: &Caller, id: &str) -> Vec<RequestBuilder> {
    let path = |rest: &str| format!("/v1/verifications/{id}{rest}");
    vec![
        caller.get(&path("")),
        caller.get(&path("")).header("prefer", "wait=20"),
        caller.get(&path("/events")),
        caller.get(&path("/result")),
        caller.post(&path("/submit")),
        caller.post(&path("/cancel")),
        caller.put_image(id, "front").body(jpeg("front")),
    ]
}

#[tokio::test]
async fn without_a_valid_api_key_everything_is_401() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let http = &stage.caller.http;

    let mut refused = Vec::new();
    for id in [&v.id, UNKNOWN, "nonsense"] {
        let wrong = Caller { key: "nobody's key", ..stage.caller.clone() };
        refused.extend(all_about(&wrong, id));
        refused.extend(all_about(&Caller { key: "", ..stage.caller.clone() }, id));
    }
    let url = format!("{}/v1/verifications", stage.caller.api);
    for authorization in ["", "Bearer", "Bearer ", "Basic YTpi", stage.caller.key] {
        let request = http.post(&url).header("authorization", authorization);
        refused.push(request.json(&order(&json!({}))));
    }
    // Before the body is read.
    refused.push(http.post(&url).body("{"));

    for request in refused {
        let answer = request.ask().await;
        answer.problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let lower_case = http.get(format!("{url}/{}", v.id));
    let lower_case = lower_case.header("authorization", format!("bearer {}", stage.caller.key));
    lower_case.ask().await.is(200);
    assert_eq!(then.shows(&v).await["status"], "awaiting_images");
}

#[tokio::test]
async fn another_tenants_verification_is_404_and_so_is_one_that_cannot_be() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_verification(json!({})).await;

    for id in
        [v.id.as_str(), UNKNOWN, "nonsense", "vrf_", "vrf_ABCDEFGHIJKLMNOPQRSTUVWX", "vrf_*", "%3E"]
    {
        let unknown = all_about(&stage.stranger, UNKNOWN);
        for (request, unknown) in all_about(&stage.stranger, id).into_iter().zip(unknown) {
            let (answer, unknown) = (request.ask().await, unknown.ask().await);
            assert_eq!(answer.problem(404, "not-found"), unknown.problem(404, "not-found"), "{id}");
        }
    }

    assert_eq!(then.shows(&v).await["status"], "awaiting_images");
    assert_eq!(then.timeline(&v).await.len(), 3);
}

#[tokio::test]
async fn an_address_or_method_that_is_not_there_is_a_problem_too() {
    let stage = Stage::start().await;
    let caller = &stage.caller;

    caller.get("/v2/verifications").ask().await.problem(404, "not-found");
    caller.get("/v1/verifications/a/b/c").ask().await.problem(404, "not-found");
    let uploads = caller.http.get(format!("{}/v1/nothing", caller.uploads));
    uploads.ask().await.problem(404, "not-found");
    for request in [
        caller.api(Method::PATCH, "/v1/verifications"),
        caller.http.post(format!("{}/v1/verifications/{UNKNOWN}/images/front", caller.uploads)),
    ] {
        let answer = request.ask().await;
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("allow").is_some(), "{:?}", answer.headers);
        assert_eq!(answer.is(405)["type"], "about:blank");
    }
}
