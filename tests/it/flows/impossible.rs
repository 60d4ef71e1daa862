//! What a provider can't do is refused at creation, every fault with its place, and Assure never
//! hears of it.

use serde_json::{Value, json};

use super::way::{RETURN_URL, Way, webid};
use crate::harness::{Ask, Stage};

/// Each creation with the places of its faults, in order of text.
type Table = Vec<(Value, Vec<&'static str>)>;

async fn is_refused(table: Table) {
    let stage = Stage::start().await;
    for (order, pointers) in table {
        let answer = stage.caller.post("/v1/verifications").json(&order).ask().await;
        assert_eq!(answer.status, 422, "{order}: {}", answer.body);
        assert_eq!(answer.pointers(), pointers, "{order}: {}", answer.body);
    }
    for operation in ["createDossier", "setUserData", "createProcess", "startCapture"] {
        assert_eq!(stage.simulator.count_of(operation).await, 0, "{operation}");
    }
}

/// The creation of a way with these members in place of its own.
fn but(way: &Way, members: Value) -> Value {
    let mut order = way.order(&[]);
    for (name, value) in members.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

fn document(provider: &str, members: Value) -> Value {
    let mut order = json!({ "flow": "document", "provider": provider });
    for (name, value) in members.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

fn onfido() -> Way {
    Way::upload("onfido", "documentSelfie", &[]).with(json!({ "document": { "type": "passport" } }))
}

#[tokio::test]
async fn each_provider_has_its_ways_to_take_pictures() {
    let mut table: Table = Vec::new();
    for (provider, refused) in [
        ("onfido", &["page"][..]),
        ("signicatvideoid", &["upload", "page"]),
        ("readid", &["upload", "page"]),
        ("signicatpaper", &["sdk", "page"]),
        ("signicatpictureid", &["sdk", "page"]),
        ("facetec", &["page"]),
        ("webid", &["upload", "sdk"]),
    ] {
        for by in refused {
            table.push((document(provider, json!({ "capture_by": by })), vec!["/capture_by"]));
        }
    }
    // Upload is the default.
    table.push((document("readid", json!({})), vec!["/capture_by"]));
    for (flow, providers) in [
        ("capture", &["facetec", "connect:idin"][..]),
        ("eid", &["onfido", "signicatvideoid", "readid", "signicatpaper", "facetec", "webid"]),
    ] {
        for provider in providers {
            let order = json!({ "flow": flow, "provider": provider, "return_url": RETURN_URL });
            table.push((order, vec!["/flow"]));
        }
    }
    for provider in ["unheard-of", "connect", "connect:", "connect:a b", "connect:a/../b", ""] {
        table.push((document(provider, json!({})), vec!["/provider"]));
    }

    is_refused(table).await;
}

#[tokio::test]
async fn each_way_has_its_process_types() {
    let with = |way: &Way, process_type: Value| but(way, json!({ "process_type": process_type }));
    let capture = |provider| Way::capture(provider, "");
    let pointer = || vec!["/process_type"];
    let table: Table = vec![
        (with(&onfido(), json!("documentVideo")), pointer()),
        (with(&onfido(), json!("high")), pointer()),
        (with(&onfido(), json!("")), pointer()),
        (with(&onfido(), json!(7)), pointer()),
        (with(&Way::sdk("signicatvideoid", ""), json!("document")), pointer()),
        (with(&Way::sdk("readid", ""), json!("Sdk")), pointer()),
        (with(&Way::sdk("facetec", ""), json!("selfie")), pointer()),
        (with(&Way::page(""), json!("ready")), pointer()),
        // WebID has no default.
        (with(&Way::page(""), Value::Null), pointer()),
        (with(&capture("webid"), Value::Null), pointer()),
        (with(&capture("readid"), json!("sdk")), pointer()),
        (with(&capture("signicatpaper"), json!("document")), pointer()),
        (with(&capture("signicatpictureid"), json!("documentVideo")), pointer()),
        (with(&Way::eid(), json!("document")), pointer()),
    ];

    is_refused(table).await;
}

#[tokio::test]
async fn a_document_is_told_of_and_images_are_named_where_they_are_taken() {
    let paper = Way::upload("signicatpaper", "", &[]);
    let picture_id = Way::upload("signicatpictureid", "document", &[]);
    let facetec = Way::upload("facetec", "", &[]);
    let submit_when =
        |way: &Way, depictions: &[&str]| but(way, json!({ "submit_when": depictions }));
    let table: Table = vec![
        (but(&onfido(), json!({ "document": null })), vec!["/document/type"]),
        (but(&paper, json!({})), vec!["/document/country", "/document/type"]),
        (but(&paper, json!({ "document": { "type": "passport" } })), vec!["/document/country"]),
        (but(&paper, json!({ "document": { "country": "UNIV" } })), vec!["/document/type"]),
        (but(&picture_id, json!({ "document": { "type": "passport" } })), vec!["/document/id"]),
        (
            but(
                &onfido(),
                json!({ "document": { "type": 1, "country": "NORWAY", "id": "x", "y": 2 } }),
            ),
            // Of one that can't be read it is not said that it is missing, too.
            vec!["/document/country", "/document/id", "/document/type", "/document/y"],
        ),
        (but(&paper, json!({ "document": "passport" })), vec!["/document"]),
        // Too few, too many, unheard of.
        (submit_when(&onfido(), &["front"]), vec!["/submit_when"]),
        (submit_when(&onfido(), &["back"]), vec!["/submit_when", "/submit_when"]),
        (submit_when(&onfido(), &["front", "portrait", "selfie"]), vec!["/submit_when/1"]),
        (
            but(
                &onfido(),
                json!({ "process_type": "document", "submit_when": ["front", "selfie"] }),
            ),
            vec!["/submit_when/1"],
        ),
        // Without its enrolment nothing can be submitted, so it can't be by itself.
        (submit_when(&facetec, &["selfie"]), vec!["/submit_when"]),
        (submit_when(&facetec, &["back"]), vec!["/submit_when", "/submit_when/0"]),
        (submit_when(&Way::sdk("onfido", "document"), &["front"]), vec!["/submit_when"]),
        (submit_when(&Way::page("videoid"), &["front"]), vec!["/submit_when"]),
    ];

    is_refused(table).await;
}

#[tokio::test]
async fn an_end_user_returns_from_where_they_were_sent_and_from_nowhere_else() {
    let mut table: Table = Vec::new();
    for way in [Way::page("videoid"), Way::capture("onfido", "document"), Way::eid()] {
        for url in [Value::Null, json!("https://evil.example/"), json!("/relative"), json!(1)] {
            table.push((but(&way, json!({ "return_url": url })), vec!["/return_url"]));
        }
    }
    for way in [onfido(), Way::sdk("readid", "sdk"), Way::app()] {
        table.push((but(&way, json!({ "return_url": RETURN_URL })), vec!["/return_url"]));
    }

    is_refused(table).await;
}

#[tokio::test]
async fn the_other_flows_know_nothing_of_images() {
    let mut table: Table = Vec::new();
    for way in [Way::capture("onfido", "document"), Way::eid()] {
        for by in ["upload", "sdk", "page"] {
            table.push((but(&way, json!({ "capture_by": by })), vec!["/capture_by"]));
        }
        table.push((but(&way, json!({ "submit_when": ["front"] })), vec!["/submit_when"]));
        let document = json!({ "document": { "type": "passport" } });
        table.push((but(&way, document), vec!["/document"]));
        let empty = json!({ "document": {}, "submit_when": [] });
        table.push((but(&way, empty), vec!["/document", "/submit_when"]));
        let all = json!({
            "capture_by": "upload", "submit_when": ["front"], "document": { "id": 101 },
        });
        table.push((but(&way, all), vec!["/capture_by", "/document", "/submit_when"]));
    }

    is_refused(table).await;
}

#[tokio::test]
async fn what_proofline_says_itself_is_not_said_for_it() {
    let mut table: Table = Vec::new();
    for way in [onfido(), Way::page("videoid"), Way::capture("onfido", "document"), Way::eid()] {
        for (name, pointer) in [
            ("provider", "/options/provider"),
            ("processType", "/options/processType"),
            ("processParameters", "/options/processParameters"),
            ("captureParameters", "/options/captureParameters"),
            ("providers", "/options/providers"),
            ("eventTags", "/options/eventTags"),
            ("notificationUrl", "/options/notificationUrl"),
            ("authorizationHeader", "/options/authorizationHeader"),
            ("redirectUrl", "/options/redirectUrl"),
        ] {
            table.push((but(&way, json!({ "options": { name: "x" } })), vec![pointer]));
        }
    }
    for (name, pointer) in [
        ("documentType", "/options/documentType"),
        ("documentCountry", "/options/documentCountry"),
        ("documentId", "/options/documentId"),
    ] {
        table.push((
            but(&onfido(), json!({ "options": { name: "x", "redact": [] } })),
            vec![pointer],
        ));
    }
    table.push((
        but(&onfido(), json!({ "options": [], "parameters": "x" })),
        vec!["/options", "/parameters"],
    ));

    is_refused(table).await;
}

#[tokio::test]
async fn the_four_addresses_of_web_id_are_proofline_s() {
    let mut table: Table = Vec::new();
    let with = |name: &str, value: Value| {
        let mut webid = webid();
        webid["userActionParameters"][name] = value;
        webid
    };
    let (page, capture) = (Way::page("videoid"), Way::capture("webid", "accountid"));
    let in_page = |webid: Value| but(&page, json!({ "parameters": { "webid": webid } }));
    let in_capture = |webid: Value| but(&capture, json!({ "options": { "webid": webid } }));
    for (name, of_page, of_capture) in [
        (
            "redirectUrl",
            "/parameters/webid/userActionParameters/redirectUrl",
            "/options/webid/userActionParameters/redirectUrl",
        ),
        (
            "redirectDeclineUrl",
            "/parameters/webid/userActionParameters/redirectDeclineUrl",
            "/options/webid/userActionParameters/redirectDeclineUrl",
        ),
        (
            "redirectMismatchUrl",
            "/parameters/webid/userActionParameters/redirectMismatchUrl",
            "/options/webid/userActionParameters/redirectMismatchUrl",
        ),
        (
            "redirectCancelUrl",
            "/parameters/webid/userActionParameters/redirectCancelUrl",
            "/options/webid/userActionParameters/redirectCancelUrl",
        ),
    ] {
        table.push((in_page(with(name, json!("https://x.example/"))), vec![of_page]));
        table.push((in_capture(with(name, Value::Null)), vec![of_capture]));
    }
    table.extend([
        (but(&page, json!({ "parameters": null })), vec!["/parameters/webid"]),
        (in_page(json!("x")), vec!["/parameters/webid"]),
        (but(&capture, json!({ "options": null })), vec!["/options/webid"]),
        (
            in_page(json!({ "userActionParameters": [] })),
            vec!["/parameters/webid/userActionParameters"],
        ),
    ]);

    is_refused(table).await;
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let upload = json!({
        "flow": "document", "provider": "onfido", "process_type": "document", "surprise": 1,
        "submit_when": ["selfie"], "return_url": RETURN_URL, "tags": [""],
        "options": { "eventTags": [], "documentType": "passport" }, "expires_in_seconds": 0,
    });
    let eid = json!({
        "flow": "eid", "provider": "onfido", "capture_by": "sdk", "submit_when": ["front"],
        "document": { "type": "passport" }, "options": { "redirectUrl": "https://x.example/" },
    });
    let capture = json!({
        "flow": "capture", "provider": "webid", "capture_by": "page",
        "options": { "eventTags": [], "webid": { "userActionParameters": { "redirectUrl": "x" } } },
    });
    let table: Table = vec![
        (
            upload,
            vec![
                "/document/type",
                "/expires_in_seconds",
                "/options/documentType",
                "/options/eventTags",
                "/return_url",
                "/submit_when",
                "/submit_when/0",
                "/surprise",
                "/tags/0",
            ],
        ),
        (eid, vec!["/capture_by", "/document", "/flow", "/options/redirectUrl", "/submit_when"]),
        (
            capture,
            vec![
                "/capture_by",
                "/options/eventTags",
                "/options/webid/userActionParameters/redirectUrl",
                "/process_type",
                "/return_url",
            ],
        ),
    ];

    is_refused(table).await;
}
