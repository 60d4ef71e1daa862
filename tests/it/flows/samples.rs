//! Each body of Get process that we have, through the whole pipeline.

use assure_simulator::{Sample, samples};
use serde_json::{Value, json};

use super::{final_result, way::way_to};
use crate::harness::{Stage, Verification};

/// What is mended in the final result of these.
fn mended(sample: &str) -> Vec<(&'static str, Value)> {
    match sample {
        "quirk-facetec-accepted" => vec![("liveness_detected", json!(true))],
        "quirk-webid-accepted" => vec![("nationality", json!("DEU"))],
        _ => vec![],
    }
}

fn reason(status: &str) -> &'static str {
    match status {
        "canceled" => "canceled-by-end-user",
        "failed" => "provider-failed",
        _ => "",
    }
}

/// Lets a process be and end as a sample is.
async fn ends_like(stage: &Stage, sample: &Value, tags: &[String]) -> Verification {
    let way = way_to(sample);
    let v = way.begin(stage, tags).await;
    way.act(stage, &v, "as-scripted").await;
    v
}

#[tokio::test]
async fn each_ends_as_it_says_and_is_kept_untouched_beside_our_own_form() {
    let stage = Stage::start().await;
    let mut all = Vec::new();
    for Sample { name, json } in samples() {
        let body: Value = serde_json::from_str(json).unwrap();
        let v = ends_like(&stage, &body, &[format!("simulate:sample={name}")]).await;
        all.push((name, body, v));
    }
    assert_eq!(all.len(), 38);
    let (_, _, then) = stage.acts();
    for (name, mut body, v) in all {
        let status = body["status"].as_str().unwrap().to_owned();
        let seen = then.ends_as(&v, &status, reason(&status)).await;
        body["processId"] = json!(v.process_id);
        let result = then.result(&v).await;
        assert_eq!(result["process"], body, "{name}");
        assert_eq!(result["provider_result"], body["providerSpecific"], "{name}");
        assert_eq!(result["user_info"], body["userInfo"], "{name}");
        let is_eid = seen["flow"] == "eid";
        let expected =
            if is_eid { Value::Null } else { final_result::expected(&body, &mended(name)) };
        assert_eq!(result["final_result"], expected, "{name}");
        let depictions = body.get("depictions").cloned().unwrap_or_else(|| json!([]));
        assert_eq!(result["depictions"], depictions, "{name}");
        // We asked for it, so we know its names better than the answer does.
        for member in ["provider", "process_type"] {
            assert_eq!(result[member], seen[member], "{name}");
        }
        assert_eq!(result["omitted"], json!([]), "{name}");
    }
}

#[tokio::test]
async fn what_nobody_knows_yet_is_kept() {
    let stage = Stage::start().await;
    let (_, _, then) = stage.acts();
    let mut all = Vec::new();
    for name in ["onfido-accepted", "webid-rejected", "signicatpaper-inconclusive"] {
        let sample = samples().find(|sample| sample.name == name).unwrap();
        let body: Value = serde_json::from_str(sample.json).unwrap();
        let tags = [format!("simulate:sample={name}"), "simulate:future".to_owned()];
        let v = ends_like(&stage, &body, &tags).await;
        all.push((name, body, v));
    }
    for (name, body, v) in all {
        then.ends_as(&v, body["status"].as_str().unwrap(), "").await;
        let result = then.result(&v).await;
        assert_eq!(result["process"]["simulatedNovelty"], json!({ "level": 1 }), "{name}");
        assert_eq!(result["process"], then.simulator.get_process(&v).await, "{name}");
        if name == "onfido-accepted" {
            assert_eq!(result["final_result"]["document_type"], "simulatedDocument");
            assert_eq!(result["final_result"]["last_name"], "TESTPERSON");
        } else {
            let depictions = result["depictions"].as_array().unwrap();
            assert!(depictions.contains(&json!("hologram")), "{name}: {depictions:?}");
        }
    }
}

#[tokio::test]
async fn of_what_is_too_large_to_be_kept_the_least_important_is_omitted() {
    const MIB: usize = 1024;
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    // Compressed, six are kept once, and eleven not even that.
    for (size, omitted) in
        [(6 * MIB, &["process"][..]), (11 * MIB, &["process", "provider_result"])]
    {
        let tags = json!({ "tags": [format!("simulate:large-result={size}")] });
        let v = given.a_submitted_verification(tags).await;

        then.ends_as(&v, "accepted", "").await;

        let result = then.result(&v).await;
        assert_eq!(result["omitted"], json!(omitted));
        let process = then.simulator.get_process(&v).await;
        for (name, whole) in
            [("process", &process), ("provider_result", &process["providerSpecific"])]
        {
            let expected = if omitted.contains(&name) { &Value::Null } else { whole };
            // Megabytes make no good message.
            assert!(&result[name] == expected, "{size} KiB: {name}");
        }
        assert_eq!(result["final_result"]["first_name"], "INGA");
        assert_eq!(result["depictions"], json!(["front", "selfie"]));
    }
}
