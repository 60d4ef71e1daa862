//! No answer repeats what a faulty request said: not its body, not its headers, not its address.
//!
//! The names of members that nobody knows are told as JSON Pointers, so that only values are
//! planted here.

use serde_json::{Map, Value, json};

use super::{
    no_failure::statuses,
    route::Route,
    scene::{answers, every_route, signature, stage},
};
use crate::{
    harness::{Stage, order},
    privacy::{contains, disguises},
};

/// Letters alone, so that no encoding hides them.
const MARKER: &str = "plantededa";

/// Members that some route reads.
const MEMBERS: [&str; 21] = [
    "flow",
    "provider",
    "process_type",
    "capture_by",
    "document",
    "submit_when",
    "reference",
    "tags",
    "return_url",
    "expires_in_seconds",
    "same_dossier_as",
    "user_data",
    "parameters",
    "options",
    "dossierId",
    "processId",
    "status",
    "id",
    "timestamp",
    "eventName",
    "eventData",
];

/// Headers that some part of a service, or a proxy before it, reads.
const HEADERS: [&str; 18] = [
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "baggage",
    "content-encoding",
    "content-type",
    "cookie",
    "forwarded",
    "idempotency-key",
    "last-event-id",
    "origin",
    "prefer",
    "referer",
    "traceparent",
    "x-request-id",
    "x-signicat-signature",
];

/// Each value is wrong, by its type or by what it says.
fn values() -> [Value; 5] {
    [
        json!(format!("{MARKER}\u{7}{}", "x".repeat(200))),
        json!([MARKER, { "deeper": MARKER }]),
        json!({ "type": MARKER, "country": MARKER, "authorizationHeader": MARKER }),
        json!({ "tags": [MARKER], "provider": MARKER, "firstName": { "deeper": [MARKER] } }),
        json!([[MARKER]]),
    ]
}

fn bodies() -> Vec<String> {
    let mut bodies: Vec<String> = values().iter().map(Value::to_string).collect();
    for value in values() {
        let all: Map<_, _> =
            MEMBERS.iter().map(|name| ((*name).to_owned(), value.clone())).collect();
        bodies.push(Value::Object(all).to_string());
        for name in MEMBERS {
            bodies.push(json!({ name: value }).to_string());
            // Of a creation everything else is right; its number makes sure that it is none.
            bodies.push(order(&json!({ name: value, "expires_in_seconds": -1 })).to_string());
        }
    }
    for url in ["https://{}.example/", "https://app.acme.example:{}/", "{}:x", "https://{}@x/"] {
        let url = url.replace("{}", MARKER);
        bodies.push(order(&json!({ "flow": "capture", "return_url": url })).to_string());
    }
    bodies.extend([
        format!("{{\"reference\":\"{MARKER}\""),
        format!("{{\"{MARKER}\":{MARKER}}}"),
        format!("\"{MARKER}\\x\""),
        format!("{MARKER}\u{0}"),
        format!("{{\"flow\":\"{MARKER}\",\"flow\":\"{MARKER}\"}}"),
    ]);
    bodies
}

/// A good request, spoilt with the marker in one place.
fn spoilt(route: &Route) -> Vec<Vec<u8>> {
    let is_webhook = route.name == "webhook";
    let mut requests = Vec::new();
    for body in bodies() {
        let proof = match is_webhook {
            true => format!("x-signicat-signature: {}\r\n", signature(body.as_bytes())),
            false => route.proof.clone(),
        };
        requests.push(Route { proof, ..route.clone() }.with_body(body));
    }
    let stranger = Route { proof: String::new(), ..route.clone() };
    for header in HEADERS {
        for value in [MARKER.to_owned(), format!("Bearer {MARKER}"), format!("{MARKER}/\u{e9}")] {
            let header = format!("{header}: {value}\r\n");
            requests.push(route.with_headers(&header));
            requests.push(stranger.with_headers(&header));
            // The same where something else is wrong.
            requests.push(route.with(&header, b"{"));
        }
    }
    requests.push(route.with_headers(&format!("x-{MARKER}: {MARKER}\r\nx: \0\r\n")));
    requests.push(route.with_line(&format!("{MARKER} {} HTTP/1.1", route.path)));
    requests.push(route.with_line(&format!("{} {} {MARKER}/1.1", route.method, route.path)));
    let (path, _) = route.path.split_once('?').unwrap_or((&route.path, ""));
    let segments: Vec<_> = path.split('/').collect();
    for place in 1..segments.len() {
        let mut segments = segments.clone();
        segments[place] = MARKER;
        requests.push(route.with_path(&segments.join("/")));
        requests.push(Route { path: segments.join("/"), ..stranger.clone() }.good());
    }
    requests.push(route.with_path(&format!("{path}/{MARKER}?{MARKER}#{MARKER}")));
    for name in ["token", "provider", "status", "verification_id"] {
        let path = format!("{path}?{name}={MARKER}&{MARKER}={MARKER}%ff");
        requests.push(route.with_path(&path));
        requests.push(Route { path, ..stranger.clone() }.good());
    }
    requests
}

/// All that is answered to faulty requests, route by route.
async fn told(stage: &Stage) -> Vec<(String, String)> {
    let routes = every_route(stage).await;
    let sent = routes.iter().flat_map(|route| {
        let requests = spoilt(route).into_iter();
        requests.map(|request| {
            let what = format!("{}: {}", route.name, String::from_utf8_lossy(&request));
            (what, route.url.clone(), request)
        })
    });
    let told = answers(sent).await;
    for route in routes {
        let is_error = |said: &String| statuses(said).any(|status| status >= 400);
        let name = format!("{}: ", route.name);
        let of_route = told.iter().filter(|(what, _)| what.starts_with(&name));
        let errors = of_route.filter(|(_, said)| is_error(said)).count();
        // The description and its page read nothing but their address.
        assert!(errors > 5, "{errors} requests to {} were faulty", route.name);
    }
    told
}

#[tokio::test]
async fn no_answer_to_a_faulty_request_repeats_what_it_said() {
    let stage = stage().await;
    let mut planted = disguises(MARKER);
    planted.push(MARKER.to_owned());

    for (what, said) in told(&stage).await {
        // What reads nothing of the request may be a success, and says nothing of it either.
        let seen = [said.to_lowercase(), said.clone()];
        let is_repeated = |marker| seen.iter().any(|said| contains(said.as_bytes(), marker));
        assert!(!planted.iter().any(|marker| is_repeated(marker)), "{what}\n\n{said}");
    }
}
