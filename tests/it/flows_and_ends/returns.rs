//! `GET /return/{token}`: the end-user comes back.

use std::collections::BTreeSet;

use proofline_events::v1::SignalSource;
use proofline_seal::{Capability, Keyring, Purpose};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, macros::format_description};
use tokio::time::Instant;

use super::{
    end_user::EndUser,
    orders::{RETURN_URL, capture, eid, page},
};
use crate::harness::{Ask, Scene, Stage, TOKEN_KEYS, Verification};

/// Where this verification's end-user should be in the end.
fn callers_page(v: &Verification) -> String {
    RETURN_URL.replace("#top", &format!("&verification_id={}#top", v.id))
}

fn return_address(stage: &Stage, token: &str) -> String {
    format!("{}/return/{token}", stage.process("proofline-callback-receiver").url)
}

/// The ids of the returns that are in the log of a verification.
async fn return_ids(stage: &Stage, v: &Verification) -> Vec<String> {
    let stream = async_nats::jetstream::new(stage.nats.clone());
    let stream = stream.get_stream("VERIFICATIONS").await.unwrap();
    let subject = format!("proofline.v1.completion-signalled.acme.{}", v.id);
    let mut ids = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let id = message.headers.get("ce-id").unwrap().to_string();
        if message.subject.as_str() == subject && id.contains(".return.") {
            ids.push(id);
        }
    }
    ids
}

/// The minute it is now, as it stands in ids.
#[expect(clippy::disallowed_methods, reason = "the services read the clock too")]
fn minute() -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
    OffsetDateTime::now_utc().format(&form).unwrap()
}

/// A token such as intake gives away, for this purpose.
#[expect(clippy::disallowed_methods, reason = "the services read the clock too")]
fn minted(v: &Verification, purpose: Purpose, lifetime: Duration) -> String {
    let keys = Keyring::parse(TOKEN_KEYS).unwrap();
    keys.mint(&Capability {
        purpose,
        tenant: "acme".to_owned(),
        verification_id: v.id.clone(),
        expires_at: OffsetDateTime::now_utc() + lifetime,
        detail: Some(RETURN_URL.to_owned()),
    })
}

fn pairs(address: &str) -> Vec<(String, String)> {
    Url::parse(address).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn from_each_page_the_way_leads_over_our_address_to_the_callers_with_nothing_lost() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    for (order, status) in [
        (capture(&json!({})), Some("processing")),
        (eid(&json!({})), Some("accepted")),
        (page(&json!({})), None),
    ] {
        let v = given.a_verification(order).await;

        let back = end_user.is_sent_back(&v, "accepted").await;

        assert!(back.starts_with(&return_address(&stage, "")), "{back}");
        let claims = pairs(&back);
        let seen = then.simulator.dossiers().await.pop().unwrap();
        let told =
            |name: &str, value: &Value| (name.to_owned(), value.as_str().unwrap().to_owned());
        let expected = status.map(|status| {
            let process = &seen["processes"][0];
            vec![
                told("dossierId", &seen["dossierId"]),
                told("processId", &process["processId"]),
                told("status", &json!(status)),
            ]
        });
        assert_eq!(claims, expected.unwrap_or_default());
        let answer = end_user.goes_to(&back).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.header("location"), Some(callers_page(&v).as_str()));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.bytes, "");
        let signals = then.told(&v, "completion-signalled").await;
        let returned: Vec<_> = signals.iter().filter(|s| s["source"] == "return").collect();
        assert_eq!(returned.len(), 1, "{signals:?}");
        assert_eq!(
            returned[0]["claimed_status"].as_str().unwrap_or_default(),
            status.unwrap_or_default()
        );
        then.ends_as(&v, "accepted", "").await;
    }
}

#[tokio::test]
async fn returns_of_one_minute_are_stored_once_however_often_the_page_is_reloaded() {
    let stage = Stage::start().await;
    let (given, _, _) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let v = given.a_verification(capture(&json!({}))).await;
    let token = minted(&v, Purpose::Return, Duration::HOUR);
    let mut minutes = BTreeSet::from([minute()]);
    for _ in 0..5 {
        let answer = end_user.goes_to(&return_address(&stage, &token)).await;
        assert_eq!(answer.header("location"), Some(callers_page(&v).as_str()));
        minutes.insert(minute());
    }

    let ids = return_ids(&stage, &v).await;

    let possible = minutes.iter().map(|minute| format!("{}.return.{minute}", v.id));
    let possible: Vec<_> = possible.collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| possible.contains(id)), "{ids:?} {possible:?}");
    assert_eq!(BTreeSet::from_iter(&ids).len(), ids.len(), "stored twice");
}

#[tokio::test]
async fn what_an_address_claims_is_looked_at_and_not_believed() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let v = given.a_verification(eid(&json!({}))).await;
    end_user.opens(&v).await;
    let token = minted(&v, Purpose::Return, Duration::HOUR);
    let address = return_address(&stage, &token);

    let lie = format!("{address}?dossierId=d1&processId=p1&status=accepted&verification_id=x#y");
    let answer = end_user.goes_to(&lie).await;

    assert_eq!(answer.header("location"), Some(callers_page(&v).as_str()));
    // The second look is the one after a second.
    then.simulator.was_asked("getProcess", &v, 2).await;
    let seen = then.shows(&v).await;
    assert_eq!((&seen["status"], &seen["outcome"]), (&json!("awaiting_end_user"), &Value::Null));
    // Claims that are no ids, or stand there twice, keep nobody from going on.
    for odd in ["?status=a%20b%0a", "?status=a&status=b", "?status=%ff", "?&=&", "?processId="] {
        let answer = end_user.goes_to(&format!("{address}{odd}")).await;
        assert_eq!(answer.header("location"), Some(callers_page(&v).as_str()), "{odd}");
    }
    end_user.chooses(&v, "rejected").await;
    then.ends_as(&v, "rejected", "").await;
}

#[tokio::test]
async fn a_token_that_is_not_a_returns_leads_nowhere() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let v = given.a_verification(capture(&json!({}))).await;
    let right = minted(&v, Purpose::Return, Duration::HOUR);
    let damaged = if right.ends_with('A') { right.replace('A', "B") } else { format!("{right}A") };
    let upload = given.a_verification(json!({})).await;
    for (what, token) in [
        ("unknown", "sign1.unknown".to_owned()),
        ("of an unknown key", right.replacen("sign1", "sign2", 1)),
        ("damaged", damaged),
        ("shortened", right[..right.len() - 2].to_owned()),
        ("expired", minted(&v, Purpose::Return, -Duration::SECOND)),
        ("a callback's", minted(&v, Purpose::Callback, Duration::HOUR)),
        ("an upload's", upload.upload_token("front").to_owned()),
        ("none", String::new()),
    ] {
        let answer = end_user.goes_to(&return_address(&stage, &token)).await;
        assert_eq!(answer.status, 404, "{what}: {}", answer.body);
        assert_eq!(answer.header("location"), None, "{what}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let url = return_address(&stage, &right);
        let answer = stage.caller.http.request(method.clone(), url).ask().await;
        assert_eq!((answer.status, answer.header("location")), (405, None), "{method}");
    }
    assert_eq!(then.told(&v, "completion-signalled").await, Vec::<Value>::new());
    let control = end_user.goes_to(&return_address(&stage, &right)).await;
    assert_eq!(control.status, 303);
    // A return's is good for nothing else.
    let receiver = &stage.process("proofline-callback-receiver").url;
    let callback = stage.caller.http.post(format!("{receiver}/callbacks/{right}"));
    callback.json(&json!({})).ask().await.problem(401, "unauthorized");
    let url = upload.upload_url_with("front", &minted(&upload, Purpose::Return, Duration::HOUR));
    let answer = stage.caller.http.put(url).body(crate::harness::jpeg("x")).ask().await;
    answer.problem(403, "upload-url-invalid");
}

#[tokio::test]
async fn who_comes_back_after_the_end_or_the_erasure_goes_on_and_changes_nothing() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let ended = given.a_verification(eid(&json!({}))).await;
    end_user.goes_through(&ended, "rejected").await;
    then.ends_as(&ended, "rejected", "").await;
    let canceled = given.a_verification(capture(&json!({}))).await;
    when.cancels(&canceled).await.is(202);
    then.ends_as(&canceled, "canceled", "canceled-by-caller").await;
    let erased = given.a_verification(eid(&json!({}))).await;
    let path = format!("/v1/verifications/{}", erased.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    then.is_told(&erased, "data-erased", 1).await;

    for v in [&ended, &canceled, &erased] {
        let before = then.shows(v).await;
        let token = minted(v, Purpose::Return, Duration::HOUR);
        let late = format!("{}?status=accepted", return_address(&stage, &token));
        let answer = end_user.goes_to(&late).await;
        assert_eq!(answer.header("location"), Some(callers_page(v).as_str()));
        let after = then.shows(v).await;
        for member in ["status", "outcome", "reason", "next_action", "finished_at"] {
            assert_eq!(after[member], before[member], "{member}");
        }
    }
    assert_eq!(then.ends().await.len(), 3);
}

#[tokio::test]
async fn without_nats_the_end_user_goes_on_all_the_same_and_the_end_comes_later() {
    let stage = Scene::new()
        .with("proofline-verifier", "PROOFLINE_CALLBACK_GRACE", "1s")
        .with("proofline-verifier", "PROOFLINE_RECONCILE_INTERVAL", "1s")
        .start()
        .await;
    let (given, when, then) = stage.acts();
    let end_user = EndUser::new(&stage.caller.http);
    let lost = json!({ "tags": ["simulate:callback-lost"] });
    let v = given.a_verification(capture(&lost)).await;
    let back = end_user.is_sent_back(&v, "accepted").await;
    when.nats_stops().await;

    let began = Instant::now();
    let answer = end_user.goes_to(&back).await;

    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some(callers_page(&v).as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    when.nats_returns().await;
    stage.becomes_ready("proofline-intake").await;
    let end = then.the_only_end().await.event;
    assert_eq!(end.outcome().as_str_name(), "OUTCOME_ACCEPTED");
    // The return may still be in a buffer, and be stored once NATS is back.
    let sources = [SignalSource::Return, SignalSource::Reconciliation];
    assert!(sources.contains(&end.signal_source()), "{end:?}");
}

#[tokio::test]
async fn the_longest_address_that_is_taken_can_be_returned_to() {
    let stage = Stage::start().await;
    let given = stage.acts().0;
    let end_user = EndUser::new(&stage.caller.http);
    let origin = "https://app.acme.example/";
    // Percent-encoded, each of these has twelve characters.
    let longest = format!("{origin}{}", "\u{1f600}".repeat(1024 - origin.len()));

    let v = given.a_verification(eid(&json!({ "return_url": longest }))).await;
    let landed = end_user.goes_through(&v, "accepted").await;

    assert!(landed.starts_with(&format!("{origin}%F0%9F%98%80")), "{landed}");
    assert!(landed.ends_with(&format!("?verification_id={}", v.id)), "{landed}");
}
