//! What must never be seen: personal data and secrets, on the bus, on its disk, in any log, in what
//! is exported, in dead letters. Answers to faulty requests are in `bad_input/no_echo.rs`.

#[cfg(target_os = "linux")]
mod core_files;
mod dead_letters;

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    harness::{Ask, Caller, Caught, SECRETS, SERVICES, Scene, every_file, everything_in, jpeg},
    telemetry::Collector,
};

const IMAGE: &str = "planted in an image";
/// What the simulator finds out about everybody.
const FOUND: [&str; 6] =
    ["INGA", "OPPDIKTET", "ZZ0000042", "PRØVESUND", "1991-04-12", "P<NOROPPDIKTET"];
const WRONG_KEY: &str = "planted-wrong-api-key";
const WRONG_TOKEN: &str = "planted-wrong-token";
const REFUSED: &str = "planted-day-of-birth";
const CLAIMED: &str = "PLANTED STATUS";
const USER: &str = "Plantededa";
const PARAMETER: &str = "planted-parameter";
const MALFORMED: &str = "planted-in-no-json";

/// Base64 hides a text in three ways, depending on where it begins.
pub(crate) fn disguises(text: &str) -> Vec<String> {
    (0..3)
        .map(|before| {
            let encoded = STANDARD.encode([&vec![b' '; before], text.as_bytes()].concat());
            let whole = encoded.trim_end_matches('=');
            whole[if before == 0 { 0 } else { before + 1 }..whole.len() - 1].to_owned()
        })
        .collect()
}

pub(crate) fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle.as_bytes())
}

#[track_caller]
pub(crate) fn assert_clean(place: &str, content: &[u8], planted: &[String]) {
    for marker in planted {
        assert!(!contains(content, marker), "{marker} is in {place}");
    }
}

#[tokio::test]
async fn no_personal_data_and_no_secret_is_on_the_bus_or_its_disk_in_any_log_or_exported() {
    let collector = Collector::open().await;
    let mut scene = collector.collecting(Scene::new()).catching_callbacks().with(
        "assure-simulator",
        "PROOFLINE_LOG",
        "debug",
    );
    for service in SERVICES {
        scene = scene.with(service, "PROOFLINE_LOG", "debug");
    }
    let stage = scene.start().await;
    let (given, when, then) = stage.acts();
    let mut planted: Vec<String> =
        [SECRETS.as_slice(), &FOUND].concat().into_iter().map(String::from).collect();
    planted.extend(
        [WRONG_KEY, WRONG_TOKEN, REFUSED, CLAIMED, USER, PARAMETER, MALFORMED, IMAGE]
            .map(String::from),
    );
    planted.extend(disguises(IMAGE));
    planted.extend(SECRETS.into_iter().chain(FOUND).flat_map(disguises));

    // All goes well…
    let v = given
        .a_verification(json!({
            "user_data": { "firstName": USER }, "parameters": { "note": PARAMETER },
        }))
        .await;
    planted.push(v.upload_token("front").to_owned());
    let by_url = stage.caller.http.put(v.upload_url("front")).body(jpeg(IMAGE));
    by_url.ask().await.says_nothing(204);
    when.uploads(&v, "selfie", jpeg(IMAGE)).await.says_nothing(204);
    when.submits(&v).await.is(202);
    let callback = when.a_callback_is_caught().await;
    planted.push(callback.token.clone());
    let authorization = callback.authorization.clone().unwrap();
    planted.push(authorization.strip_prefix("Bearer ").unwrap().to_owned());
    when.calls_back(&callback).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
    assert_eq!(then.result(&v).await["final_result"]["first_name"], "INGA");

    // … and all goes wrong.
    let wrong = Caller { key: WRONG_KEY, ..stage.caller.clone() };
    wrong.look_at(&v.id).ask().await.problem(401, "unauthorized");
    let url = v.upload_url("front").replace(v.upload_token("front"), WRONG_TOKEN);
    stage.caller.http.put(url).body(jpeg(IMAGE)).ask().await.problem(403, "upload-url-invalid");
    let body = format!("{{\"reference\":\"{MALFORMED}\"");
    stage.caller.post("/v1/verifications").body(body).ask().await.problem(400, "malformed");
    when.creates(json!({ "provider": MALFORMED })).await.problem(422, "invalid-request");
    let refused = json!({ "user_data": { "dateOfBirth": REFUSED, "firstName": USER } });
    when.creates(refused).await.problem(422, "assure-refused");
    let mut lie = callback.clone();
    lie.body["status"] = json!(CLAIMED);
    when.calls_back(&lie).await.says_nothing(200);
    let unauthentic = Caught { token: WRONG_TOKEN.to_owned(), ..callback.clone() };
    when.calls_back(&unauthentic).await.problem(401, "unauthorized");
    when.calls_back_with(&callback, MALFORMED).await.problem(400, "malformed");
    when.simulator.goes_wrong("setImages", json!("reset"), json!({})).await;
    let another = given.a_verification(json!({})).await;
    planted.push(another.upload_token("front").to_owned());
    when.uploads(&another, "front", jpeg(IMAGE)).await.come_again(503, "assure-unavailable");

    for (name, log) in stage.logs() {
        assert_clean(&format!("the log of {name}"), log.as_bytes(), &planted);
    }
    for service in SERVICES {
        let url = format!("{}/metrics", stage.process(service).admin_url);
        let metrics = stage.caller.http.get(url).ask().await;
        assert!(metrics.bytes.len() > 1000, "there is something to look through");
        assert_clean(&format!("the metrics of {service}"), &metrics.bytes, &planted);
    }
    let intake = stage.process("proofline-intake").log();
    assert!(intake.contains(&v.id), "ids may be logged, so that there is something to find");
    let debugs = stage.logs().filter(|(_, log)| log.contains("\"level\":\"DEBUG\"")).count();
    assert!(debugs >= SERVICES.len(), "nothing was logged at debug");
    let timeline: Value = then.timeline(&v).await.into();
    assert_clean("the timeline", timeline.to_string().as_bytes(), &planted);
    let mut messages = 0;
    for stream in ["VERIFICATIONS", "TIMERS", "DEAD_LETTERS"] {
        for message in everything_in(&stage.nats, stream).await {
            assert_clean(stream, &message, &planted);
            messages += 1;
        }
    }
    assert!(messages > 15, "there is something to look through: {messages}");
    let mut places = 0;
    every_file(&stage.broker_folder(), &mut |path| {
        let content = fs::read(path).unwrap();
        places += usize::from(contains(&content, &v.id));
        assert_clean(&path.display().to_string(), &content, &planted);
    });
    assert!(places >= 3, "the log, the sealed result, the data key and the timer are there");
    stage.services_stop().await;
    assert_clean("traces and metrics", &collector.everything(), &planted);
}
