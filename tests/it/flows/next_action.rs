//! What the caller is told to do next, in each flow.

use serde_json::{Value, json};

use super::way::{Act, Way, enrolment};
use crate::harness::{Ask, Stage, Verification, everything_in, jpeg};

/// An action as it is told at creation, with the place of each text that differs every time.
struct Case {
    way: Way,
    status: &'static str,
    action: Value,
    secrets: &'static [&'static str],
}

const TOKEN: &[&str] = &["/token"];
const PAGE: &[&str] = &["/url"];

fn device_keys() -> Value {
    json!({
        "facetecDeviceKeyIdentifier": "simulated-device-key",
        "facetecEncryptionPublicKey": "simulated-public-key",
        "facetecMobileSdkProductionKey": "simulated-production-key",
    })
}

fn cases() -> Vec<Case> {
    let use_sdk = |provider_url: Value, details: Value| {
        json!({
            "type": "use_sdk", "token": "…", "provider_url": provider_url, "details": details,
        })
    };
    let sdk = |way, action, secrets| Case { way, status: "awaiting_end_user", action, secrets };
    let page = |way| Case {
        way,
        status: "awaiting_end_user",
        action: json!({ "type": "redirect", "url": "…" }),
        secrets: PAGE,
    };
    let mut app =
        use_sdk(Value::Null, json!({ "base64QRCode": "iVBORw0KGgo=", "universalLink": "…" }));
    app["token"] = Value::Null;
    let video_id = json!("https://videoid.simulator.example");
    let read_id = json!("https://readid.simulator.example");
    vec![
        sdk(Way::sdk("onfido", "documentVideo"), use_sdk(Value::Null, json!({})), TOKEN),
        sdk(Way::sdk("signicatvideoid", "high"), use_sdk(video_id, json!({})), TOKEN),
        sdk(Way::sdk("readid", "sdk"), use_sdk(read_id, json!({})), TOKEN),
        sdk(Way::app(), app, &["/details/universalLink"]),
        sdk(Way::sdk("facetec", ""), use_sdk(Value::Null, device_keys()), TOKEN),
        page(Way::page("videoid")),
        page(Way::capture("signicatpaper", "")),
        page(Way::eid()),
        Case {
            way: Way::upload("facetec", "", &[]),
            status: "awaiting_images",
            action: json!({
                "type": "upload_images", "depictions": ["front", "selfie"],
                "upload_urls": { "front": "…", "selfie": "…" },
                "sdk": { "token": "…", "provider_url": null, "details": device_keys() },
            }),
            secrets: &["/upload_urls/front", "/upload_urls/selfie", "/sdk/token"],
        },
        Case {
            way: Way::upload("signicatpaper", "", &[])
                .with(json!({ "document": { "type": "passport", "country": "NOR" } })),
            status: "awaiting_images",
            action: json!({
                "type": "upload_images", "depictions": ["front"],
                "upload_urls": { "front": "…", "back": "…" },
            }),
            secrets: &["/upload_urls/front", "/upload_urls/back"],
        },
    ]
}

/// The action without the texts that differ every time, which must be there.
fn masked(view: &Value, secrets: &[&str]) -> Value {
    let mut action = view["next_action"].clone();
    for place in secrets {
        let secret = action.pointer_mut(place).unwrap_or_else(|| panic!("{place}: {view}"));
        assert!(secret.as_str().is_some_and(|text| text.len() > 20), "{place}: {view}");
        *secret = json!("…");
    }
    action
}

#[tokio::test]
async fn it_is_told_at_creation_and_to_whoever_asks_until_the_end() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    for (number, Case { way, status, action, secrets }) in cases().into_iter().enumerate() {
        let order = way.order(&[]);
        let create = || {
            let request = stage.caller.post("/v1/verifications").json(&order);
            request.header("idempotency-key", format!("case-{number}")).ask()
        };

        let v = Verification::of(create().await);
        assert_eq!(masked(&v.created, secrets), action);
        assert_eq!(v.created["status"], status);
        let replay = create().await;
        assert_eq!(replay.header("idempotent-replayed"), Some("true"));
        for later in [then.shows(&v).await, replay.is(200)] {
            assert_eq!(later["status"], status);
            assert_eq!(masked(&later, secrets), action);
            // The provider gives its secrets once; only our own addresses are made anew.
            for place in secrets.iter().filter(|place| !place.starts_with("/upload_urls")) {
                let at = |view: &Value| view["next_action"].pointer(place).cloned();
                assert_eq!(at(&later), at(&v.created), "{place}");
            }
        }

        when.cancels(&v).await.is(202);
        then.ends_as(&v, "canceled", "canceled-by-caller").await;
        for later in [then.shows(&v).await, create().await.is(200)] {
            assert_eq!(
                (&later["status"], &later["next_action"]),
                (&json!("finished"), &Value::Null)
            );
        }
    }
}

#[tokio::test]
async fn an_sdk_is_told_of_until_the_caller_submits() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let endless = ["simulate:never-finishes".to_owned()];
    let v = Way::sdk("readid", "sdk").begin(&stage, &endless).await;

    let submitted = when.submits(&v).await.is(202);
    let is_waiting = |view: &Value, status: &str| {
        assert_eq!(view["status"], status);
        assert_eq!(view["next_action"], json!({ "type": "wait" }));
    };
    is_waiting(&submitted, "submitted");
    is_waiting(&then.reaches(&v, "verifying").await, "verifying");
    when.simulator.finishes(&v, "accepted").await;
    assert_eq!(then.ends_as(&v, "accepted", "").await["next_action"], Value::Null);
}

#[tokio::test]
async fn with_its_image_facetec_is_to_be_submitted() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let endless = ["simulate:never-finishes".to_owned()];
    let v = Way::upload("facetec", "", &[]).begin(&stage, &endless).await;

    when.uploads(&v, "front", jpeg("front")).await.says_nothing(204);

    let seen = then.shows(&v).await;
    assert_eq!(seen["status"], "awaiting_images");
    assert_eq!(seen["next_action"], json!({ "type": "submit" }));
    let submitted = when.submits_with(&v, enrolment("front")).await.is(202);
    assert_eq!(submitted["next_action"], json!({ "type": "wait" }));
}

#[tokio::test]
async fn who_leaves_a_page_finds_it_again() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    for way in [Way::page("accountid"), Way::capture("onfido", "documentSelfie"), Way::eid()] {
        assert!(matches!(way.act, Act::Page(_)));
        let v = way.begin(&stage, &[]).await;
        when.opens(&way.page_of(&v)).await.is(200);

        let seen = then.shows(&v).await;

        assert_eq!(seen["next_action"], v.created["next_action"]);
        assert_eq!(seen["status"], "awaiting_end_user");
        way.act(&stage, &v, "rejected").await;
        assert_eq!(then.ends_as(&v, "rejected", "").await["next_action"], Value::Null);
    }
}

#[tokio::test]
async fn what_is_being_created_is_waited_for() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let way = Way::capture("signicatpaper", "");
    let create = || {
        let request = stage.caller.post("/v1/verifications").json(&way.order(&[]));
        request.header("idempotency-key", "once").ask()
    };
    let away = json!({ "status": { "code": 503, "body": "platform" } });
    stage.simulator.goes_wrong("startCapture", away, json!({ "when": "always" })).await;
    create().await.come_again(503, "assure-unavailable");
    let id = the_only_id(&stage).await;

    let seen = stage.caller.look_at(&id).ask().await.is(200);

    assert_eq!(seen["status"], "creating");
    assert_eq!(seen["next_action"], json!({ "type": "wait" }));
    assert_eq!(seen["process_id"], Value::Null);
    stage.simulator.recovers().await;
    let v = Verification::of(create().await);
    assert_eq!(v.id, id);
    assert_eq!(v.created["status"], "awaiting_end_user");
    when.chooses(&way.page_of(&v), "accepted").await;
    then.ends_as(&v, "accepted", "").await;
}

/// What a failed creation does not tell its caller stands in the log.
async fn the_only_id(stage: &Stage) -> String {
    let messages = everything_in(&stage.nats, "VERIFICATIONS").await;
    let texts = messages.iter().map(|message| String::from_utf8_lossy(message).into_owned());
    let requested = "proofline.v1.verification-requested.acme.";
    let mut ids =
        texts.filter_map(|text| Some(text.lines().next()?.strip_prefix(requested)?.to_owned()));
    let id = ids.next().expect("it was requested");
    assert_eq!(ids.next(), None);
    id
}
