//! What every answer tells a browser, and what none tells anybody.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::harness::{Answer, Ask, Scene, Stage};

const ALWAYS: [(&str, &str); 4] = [
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// Requests of every kind, to every door.
async fn requests(stage: &Stage) -> Vec<(Method, String, RequestBuilder)> {
    let (given, when, _) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    let callback = when.a_callback_is_caught().await;
    let (api, uploads) = (&stage.caller.api, &stage.caller.uploads);
    let receiver = &stage.process("proofline-callback-receiver").url;
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let image = format!("{uploads}/v1/verifications/{}/images/front", v.id);
    let requests = [
        (get.clone(), format!("{api}/v1/verifications/{}", v.id)),
        (get.clone(), format!("{api}/v1/verifications/{}/events", v.id)),
        (get.clone(), format!("{api}/v1/verifications/{}/result", v.id)),
        (post.clone(), format!("{api}/v1/verifications/{}/submit", v.id)),
        (post.clone(), format!("{api}/v1/verifications")),
        (get.clone(), format!("{api}/v1/document-types?provider=onfido")),
        (get.clone(), format!("{api}/openapi.json")),
        (get.clone(), format!("{api}/docs")),
        (get.clone(), format!("{api}/nothing")),
        (Method::PATCH, format!("{api}/v1/verifications")),
        (put, image.clone()),
        (Method::OPTIONS, image.clone()),
        (get.clone(), image),
        (get.clone(), format!("{uploads}/")),
        (post.clone(), format!("{receiver}/callbacks/{}", callback.token)),
        (get.clone(), format!("{receiver}/callbacks/{}", callback.token)),
        (post, format!("{receiver}/events/acme")),
        (get.clone(), format!("{receiver}/return/guessed")),
        (get, format!("{receiver}/")),
    ];
    let asked = |(method, url): (Method, String)| {
        let request = stage.caller.http.request(method.clone(), &url);
        let key = match url.starts_with(receiver.as_str()) {
            true => callback.authorization.clone().unwrap(),
            false => format!("Bearer {}", stage.caller.key),
        };
        (method, url, request.header("authorization", key))
    };
    requests.into_iter().map(asked).collect()
}

fn assert_headers(answer: &Answer, what: &str) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    for name in ["server", "via", "x-powered-by"] {
        assert_eq!(answer.header(name), None, "{what}: {name}");
    }
    let told = String::from_utf8_lossy(&answer.bytes).to_lowercase();
    for word in ["axum", "hyper", "tokio", "panicked", ".rs:", "nats"] {
        let may_tell = what.ends_with("/openapi.json") || what.ends_with("/docs");
        assert!(may_tell || !told.contains(word), "{what}: {word} in {told}");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_run_and_frame_nothing_and_nobody_what_made_it() {
    let stage = Scene::new().catching_callbacks().start().await;
    for (method, url, request) in requests(&stage).await {
        let answer = request.ask().await;
        assert_headers(&answer, &format!("{method} {} {url}", answer.status));
    }
}
