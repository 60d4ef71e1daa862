use proofline_tenants::Tenants;
use serde_json::json;

use super::{bodies::Own, *};

fn tenant() -> Tenant {
    let file = format!(
        "[tenants.acme]\napi_key_sha256 = [\"{}\"]\nweb_origins = [\"https://app.acme.example\", \"http://localhost:3000\"]\n",
        "0".repeat(64)
    );
    Tenants::parse(&file).unwrap().get("acme").unwrap().clone()
}

fn example() -> Value {
    json!({
        "flow": "document", "provider": "onfido", "process_type": "documentSelfie",
        "capture_by": "upload", "document": { "type": "identityCard", "country": "NOR", "id": null },
        "submit_when": ["front", "selfie"], "reference": "order-778", "tags": ["web"],
        "return_url": null, "expires_in_seconds": 86400, "same_dossier_as": null,
        "user_data": null, "parameters": {}, "options": {}
    })
}

fn capture(provider: &str) -> Value {
    json!({
        "flow": "capture", "provider": provider, "return_url": "https://app.acme.example/back?a=1#b"
    })
}

fn read(body: &Value) -> Creation {
    Creation::read(body, &tenant())
        .map_err(|faults| faults.into_iter().map(|f| f.pointer).collect::<Vec<_>>())
        .unwrap_or_else(|pointers| panic!("{pointers:?}"))
}

fn pointers(body: &Value) -> Vec<String> {
    let faults = Creation::read(body, &tenant()).err().unwrap();
    faults.into_iter().map(|fault| fault.pointer).collect()
}

fn own(return_address: Option<&str>) -> Own<'_> {
    Own { tag: "proofline:acme:vrf_x".into(), return_address, callback: None }
}

#[test]
fn the_example_of_the_contract_can_be() {
    let creation = read(&example());
    assert_eq!(creation.expires_in, Some(Duration::from_secs(86400)));
    let body = serde_json::to_value(creation.process(own(None))).unwrap();
    assert_eq!(
        body,
        json!({
            "provider": "onfido", "processType": "documentSelfie", "documentType": "identityCard",
            "documentCountry": "NOR", "eventTags": ["proofline:acme:vrf_x", "web"]
        })
    );
}

#[test]
fn a_capture_has_its_provider_inside_and_the_page_outside() {
    let mut body = capture("signicatpaper");
    body["parameters"] = json!({ "uiLanguage": "nl" });
    body["options"] = json!({ "redact": ["photo"], "requestDomain": "id.acme.example" });
    let body = serde_json::to_value(read(&body).capture(own(Some("https://p/return/t")))).unwrap();
    assert_eq!(
        body,
        json!({
            "providers": [{ "provider": "signicatpaper", "redact": ["photo"] }],
            "redirectUrl": "https://p/return/t", "sdk": "capture",
            "requestDomain": "id.acme.example", "captureParameters": { "uiLanguage": "nl" },
            "eventTags": ["proofline:acme:vrf_x"]
        })
    );
}

#[test]
fn an_eid_is_told_where_to_return() {
    let body = json!({
        "flow": "eid", "provider": "connect:idin", "return_url": "http://localhost:3000/"
    });
    let body = serde_json::to_value(read(&body).process(own(Some("https://p/return/t")))).unwrap();
    assert_eq!(body["redirectUrl"], "https://p/return/t");
    assert_eq!(body["provider"], "connect:idin");
}

#[test]
fn webid_is_told_four_times_where_to_return() {
    let mut body = json!({
        "flow": "document", "provider": "webid", "process_type": "videoid", "capture_by": "page",
        "return_url": "https://app.acme.example/",
        "parameters": { "webid": { "userActionParameters": { "clientName": "Acme" } } }
    });
    let sent = serde_json::to_value(read(&body).process(own(Some("https://p/return/t")))).unwrap();
    let told = &sent["processParameters"]["webid"]["userActionParameters"];
    assert_eq!(told["clientName"], "Acme");
    for name in ["redirectUrl", "redirectDeclineUrl", "redirectMismatchUrl", "redirectCancelUrl"] {
        assert_eq!(told[name], "https://p/return/t", "{name}");
    }
    body["parameters"]["webid"]["userActionParameters"]["redirectCancelUrl"] = json!("https://x");
    assert_eq!(pointers(&body), ["/parameters/webid/userActionParameters/redirectCancelUrl"]);
    body["parameters"] = json!({});
    assert_eq!(pointers(&body), ["/parameters/webid"]);
    let mut hosted = capture("webid");
    hosted["process_type"] = json!("accountid");
    assert_eq!(pointers(&hosted), ["/options/webid"]);
}

#[test]
fn the_end_user_returns_to_listed_places_only() {
    for url in [
        "https://evil.example/",
        "http://app.acme.example/",
        "https://me@app.acme.example/",
        "https://app.acme.example.evil.example/",
        "https://app.acme.example:8443/",
        "/relative",
        "javascript:alert(1)",
        &format!("https://app.acme.example/{}", "x".repeat(1024)),
    ] {
        let mut body = capture("onfido");
        body["return_url"] = json!(url);
        assert_eq!(pointers(&body), ["/return_url"], "{url}");
    }
    let mut body = capture("onfido");
    body["return_url"] = Value::Null;
    assert_eq!(pointers(&body), ["/return_url"]);
}

#[test]
fn a_callers_tag_does_not_claim_what_tags_of_events_mean() {
    let mut body = example();
    body["tags"] = json!(["mock", "proofline:other:vrf_x", "web"]);
    let process = read(&body).process(own(None));
    assert_eq!(process.event_tags, ["proofline:acme:vrf_x", "web"]);
}

#[test]
fn every_fault_of_a_body_is_told_at_once() {
    let mut body = example();
    body["flow"] = json!("x");
    body["tags"] = json!(["ok", "", 3]);
    body["reference"] = json!("a\u{202e}b");
    body["expires_in_seconds"] = json!(0);
    body["same_dossier_as"] = json!("x");
    body["options"] = json!({ "eventTags": [], "redact": [] });
    body["surprise"] = json!(1);
    assert_eq!(
        pointers(&body),
        [
            "/flow",
            "/reference",
            "/tags/1",
            "/tags/2",
            "/expires_in_seconds",
            "/same_dossier_as",
            "/surprise",
            "/options/eventTags"
        ]
    );
}

#[test]
fn what_the_provider_cannot_do_is_told_with_the_rest() {
    let mut body = example();
    body["process_type"] = json!("document");
    body["reference"] = json!(7);
    assert_eq!(pointers(&body), ["/reference", "/submit_when/1"]);
}

#[test]
fn a_body_that_is_no_object_has_one_fault_at_its_root() {
    for body in [json!([]), json!("x"), json!(null)] {
        assert_eq!(pointers(&body), [""]);
    }
}

#[test]
fn every_member_that_is_described_is_read_and_within_the_limits_described() {
    let described = crate::openapi()["components"]["schemas"]["CreateVerification"].take();
    let members = described["properties"].as_object().unwrap();
    assert_eq!(
        members.keys().collect::<Vec<_>>(),
        example().as_object().unwrap().keys().collect::<Vec<_>>()
    );
    for (name, member) in members {
        let at = |value: Value| {
            let mut body = example();
            body[name] = value;
            let faults = Creation::read(&body, &tenant()).err().unwrap_or_default();
            faults.iter().any(|fault| {
                fault.pointer == format!("/{name}") && fault.detail.starts_with("must ")
            })
        };
        let limit = |name: &str| member[name].as_u64().map(|limit| usize::try_from(limit).unwrap());
        if let (Some(max), None) = (limit("maxLength"), member["format"].as_str()) {
            assert!(!at(json!("a".repeat(max))) && at(json!("a".repeat(max + 1))), "{name}");
        }
        if let Some(max) = limit("maxItems") {
            let items = |count| json!(vec![if name == "tags" { "web" } else { "front" }; count]);
            assert!(!at(items(max)) && at(items(max + 1)), "{name}");
        }
        if let (Some(min), Some(max)) = (limit("minimum"), limit("maximum")) {
            let refused = [min - 1, min, max, max + 1].map(|number| at(json!(number)));
            assert_eq!(refused, [true, false, false, true], "{name}");
        }
        assert!(at(json!(true)), "{name}");
    }
}
