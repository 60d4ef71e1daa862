//! Everything that bad input is tried on.

use futures_util::{StreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use proofline_events::VerificationId;
use proofline_seal::{Capability, Keyring, Purpose};
use serde_json::json;
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

use super::{classes, route::Route};
use crate::harness::{
    ACME_KEY, Caught, EVENTS_SECRET, Scene, Stage, TOKEN_KEYS, Wire, jpeg, order,
};

/// A stage that gives up slow senders soon, and tells strangers the same however many they are.
pub(super) async fn stage() -> Stage {
    let doors = ["proofline-intake", "proofline-upload", "proofline-callback-receiver"];
    let scene = Scene::new().catching_callbacks().with_webhooks();
    let scene = doors.into_iter().fold(scene, |scene, door| {
        let scene = scene.with(door, "PROOFLINE_HEADER_TIMEOUT", "1s");
        let scene = scene.with(door, "PROOFLINE_BODY_TIMEOUT", "1s");
        scene.with(door, "PROOFLINE_REFUSALS_PER_SECOND", 1_000_000)
    });
    scene.start().await
}

/// Who sends a request, and to which verification.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    /// Header lines.
    pub(super) proof: String,
    pub(super) id: String,
}

impl Sender {
    pub(super) fn with_key(key: &str, id: &str) -> Self {
        Self { proof: format!("authorization: Bearer {key}\r\n"), id: id.to_owned() }
    }

    pub(super) fn nobody(id: &str) -> Self {
        Self { proof: String::new(), id: id.to_owned() }
    }
}

/// The routes of intake and upload that name a verification.
pub(super) fn of_a_verification(stage: &Stage, sender: &Sender) -> Vec<Route> {
    let id = &sender.id;
    let api = |name, method, rest: &str, body: &str| Route {
        name,
        url: stage.caller.api.clone(),
        method,
        path: format!("/v1/verifications/{id}{rest}"),
        proof: sender.proof.clone(),
        body: body.into(),
    };
    let image = api("upload", "PUT", "/images/front", "");
    let image = Route { url: stage.caller.uploads.clone(), body: jpeg("image"), ..image };
    vec![
        api("get", "GET", "", ""),
        api("events", "GET", "/events", ""),
        api("result", "GET", "/result", ""),
        api("image", "GET", "/images/front", ""),
        api("video", "GET", "/video", ""),
        api("download", "GET", "/download", ""),
        api("submit", "POST", "/submit", r#"{"parameters":{}}"#),
        api("cancel", "POST", "/cancel", ""),
        Route { name: "preflight", method: "OPTIONS", body: Vec::new(), ..image.clone() },
        image,
        api("erase", "DELETE", "", ""),
    ]
}

/// Those that name none.
pub(super) fn of_none(stage: &Stage, key: &str) -> Vec<Route> {
    let proof = format!("authorization: Bearer {key}\r\n");
    let api = |name, method, path: &str, body: String| Route {
        name,
        url: stage.caller.api.clone(),
        method,
        path: path.to_owned(),
        proof: proof.clone(),
        body: body.into_bytes(),
    };
    vec![
        api("create", "POST", "/v1/verifications", order(&json!({})).to_string()),
        api("document types", "GET", "/v1/document-types?provider=onfido", String::new()),
        api("description", "GET", "/openapi.json", String::new()),
        api("page", "GET", "/docs", String::new()),
    ]
}

pub(super) fn callback(stage: &Stage, caught: &Caught) -> Route {
    Route {
        name: "callback",
        url: stage.process("proofline-callback-receiver").url.clone(),
        method: "POST",
        path: format!("/callbacks/{}", caught.token),
        proof: format!("authorization: {}\r\n", caught.authorization.as_deref().unwrap()),
        body: caught.body.to_string().into_bytes(),
    }
}

/// A webhook whose signature fits the good body alone.
pub(super) fn webhook(stage: &Stage, id: &str) -> Route {
    let body = json!({
        "id": "event-1", "tags": [format!("proofline:acme:{id}")],
        "eventName": "assure.process.finished", "eventData": { "status": "accepted" },
    });
    let body = body.to_string().into_bytes();
    Route {
        name: "webhook",
        url: stage.process("proofline-callback-receiver").url.clone(),
        method: "POST",
        path: "/events/acme".to_owned(),
        proof: format!("x-signicat-signature: {}\r\n", signature(&body)),
        body,
    }
}

pub(super) fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(EVENTS_SECRET.as_bytes()).unwrap();
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn way_back(stage: &Stage, token: &str) -> Route {
    Route {
        name: "return",
        url: stage.process("proofline-callback-receiver").url.clone(),
        method: "GET",
        path: format!("/return/{token}"),
        proof: String::new(),
        body: Vec::new(),
    }
}

/// The token of an end-user's way back, good for so long.
#[expect(clippy::disallowed_methods, reason = "the services read the clock too")]
pub(super) fn return_token(id: &str, lifetime: Duration) -> String {
    Keyring::parse(TOKEN_KEYS).unwrap().mint(&Capability {
        purpose: Purpose::Return,
        tenant: "acme".to_owned(),
        verification_id: id.to_owned(),
        expires_at: OffsetDateTime::now_utc() + lifetime,
        detail: Some("https://app.acme.example/".to_owned()),
    })
}

/// Every route, each with a request that would be right but for what is done to it.
pub(super) async fn every_route(stage: &Stage) -> Vec<Route> {
    let (given, when, then) = stage.acts();
    let finished = given.a_submitted_verification(json!({})).await;
    let caught = when.a_callback_is_caught().await;
    when.calls_back(&caught).await.says_nothing(200);
    then.ends_as(&finished, "accepted", "").await;
    let (images, submitted) = tokio::join!(
        given.a_verification(json!({})),
        given.a_complete_verification(json!({ "tags": ["simulate:never-finishes"] })),
    );
    let discarded = given.a_verification(json!({})).await;
    let erased = given.a_verification(json!({})).await;
    let id_for = |name: &str| match name {
        "upload" | "preflight" => &images.id,
        "submit" => &submitted.id,
        "cancel" => &discarded.id,
        "erase" => &erased.id,
        _ => &finished.id,
    };
    let mut routes = of_none(stage, ACME_KEY);
    for id in [&finished, &images, &submitted, &discarded, &erased].map(|v| &v.id) {
        let all = of_a_verification(stage, &Sender::with_key(ACME_KEY, id));
        routes.extend(all.into_iter().filter(|route| id_for(route.name) == id));
    }
    routes.push(callback(stage, &caught));
    routes.push(webhook(stage, &finished.id));
    routes.push(way_back(stage, &return_token(&finished.id, Duration::HOUR)));
    routes
}

/// An id like those there are.
pub(super) fn unknown_id() -> String {
    VerificationId::from_bytes([7; 16]).to_string()
}

/// A request of a class to a route, with what it is for people.
type Sent = (String, String, Vec<u8>);

/// Every request of every class, to each of these routes.
pub(super) fn of_every_class(routes: &[Route]) -> impl Iterator<Item = Sent> {
    routes
        .iter()
        .flat_map(|route| classes::all().into_iter().map(move |class| (route, class)))
        .flat_map(|(route, class)| {
            let requests = (class.requests)(route).into_iter().enumerate();
            requests.map(move |(place, request)| {
                let what = format!("{}: {} ({place})", route.name, class.name);
                (what, route.url.clone(), request)
            })
        })
}

/// What is answered to each, many at a time, in their order.
pub(super) async fn answers(sent: impl Iterator<Item = Sent>) -> Vec<(String, String)> {
    let asked = sent.map(async |(what, url, request)| {
        let said = Wire::to(&url).await.send(&request).await.rest().await;
        (what, said)
    });
    stream::iter(asked).buffered(300).collect().await
}
