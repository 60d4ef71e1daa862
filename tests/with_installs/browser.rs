//! An end-user in headless Chromium: through Assure's page, back through ours, onto the caller's.

use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    harness::{Stage, Verification},
    installs::{in_repository, installed},
};

/// Where the screenshots are kept.
const SCREENSHOTS: &str = "target/test-artefacts/browser";
const RETURN_URL: &str = "https://app.acme.example/done?order=778#receipt";

/// Opens the page of a verification and presses a button; what the browser saw.
async fn goes_through(v: &Verification, button: &str, name: &str) -> Value {
    let page = v.created["next_action"]["url"].as_str().unwrap();
    let output = Command::new("node")
        .arg(installed("browser/visit.mjs"))
        .args([page, button])
        .arg(in_repository(SCREENSHOTS))
        .arg(name)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for moment in ["1-assure", "2-caller"] {
        let picture = in_repository(SCREENSHOTS).join(format!("{name}-{moment}.png"));
        assert!(picture.exists(), "{} is missing", picture.display());
    }
    serde_json::from_slice(&output.stdout).unwrap()
}

/// They land on the caller's page, which learns the verification's id and nothing else.
#[track_caller]
fn assert_landed(v: &Verification, seen: &Value) {
    let expected =
        format!("https://app.acme.example/done?order=778&verification_id={}#receipt", v.id);
    assert_eq!(seen["landed"], expected);
    assert_eq!(seen["referrer"], "", "the return token would be in it");
    assert_eq!(seen["errors"], json!([]));
}

#[tokio::test]
async fn an_end_user_goes_through_the_capture_page() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    for (button, name, outcome) in
        [("Will pass", "capture-accepted", "accepted"), ("Cancel", "capture-canceled", "canceled")]
    {
        let v = given
            .a_verification(json!({
                "flow": "capture", "process_type": "document", "document": null,
                "submit_when": null, "capture_by": null, "return_url": RETURN_URL,
            }))
            .await;

        let seen = goes_through(&v, button, name).await;

        assert_landed(&v, &seen);
        assert_eq!(seen["title"], "Show your document (simulated)");
        let reason = if outcome == "canceled" { "canceled-by-end-user" } else { "" };
        then.ends_as(&v, outcome, reason).await;
    }
}

#[tokio::test]
async fn an_end_user_logs_in_with_an_eid() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    for (button, name, outcome) in
        [("Log in", "eid-accepted", "accepted"), ("Refuse", "eid-rejected", "rejected")]
    {
        let v = given
            .a_verification(json!({
                "flow": "eid", "provider": "connect:idin", "process_type": null, "document": null,
                "submit_when": null, "capture_by": null, "return_url": RETURN_URL,
            }))
            .await;

        let seen = goes_through(&v, button, name).await;

        assert_landed(&v, &seen);
        assert_eq!(seen["title"], "Log in with idin (simulated)");
        then.ends_as(&v, outcome, "").await;
    }
}
