//! A creation for each flow, with everything it needs.

use serde_json::{Value, json};

/// Where callers want their end-users back, with a query and a fragment of their own.
pub(super) const RETURN_URL: &str = "https://app.acme.example/done?order=7&x=%26#top";

/// The usual creation with these members instead of its own.
fn with(mut order: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

/// Assure's hosted page.
pub(super) fn capture(members: &Value) -> Value {
    let order = json!({ "flow": "capture", "document": null, "return_url": RETURN_URL });
    with(order, members)
}

/// The log-in of an eID.
pub(super) fn eid(members: &Value) -> Value {
    let order = json!({
        "flow": "eid", "provider": "connect:idin", "process_type": null, "document": null,
        "return_url": RETURN_URL,
    });
    with(order, members)
}

/// The provider's own page.
pub(super) fn page(members: &Value) -> Value {
    let webid = json!({
        "user": {
            "firstName": "Inga", "lastName": "Oppdiktet", "dateOfBirth": "1991-04-12",
            "contact": { "email": "inga@example.com" },
        },
        "idDocument": { "nationality": "DE" },
        "userActionParameters": { "clientName": "Acme", "productType": "account" },
    });
    let order = json!({
        "provider": "webid", "process_type": "videoid", "capture_by": "page", "document": null,
        "return_url": RETURN_URL, "parameters": { "webid": webid },
    });
    with(order, members)
}

/// The provider's SDK.
pub(super) fn sdk(members: &Value) -> Value {
    let order = json!({ "process_type": "documentVideo", "capture_by": "sdk", "document": null });
    with(order, members)
}

/// An app, by link and QR code.
pub(super) fn app(members: &Value) -> Value {
    let order = json!({
        "provider": "readid", "process_type": "ready", "capture_by": "sdk", "document": null,
    });
    with(order, members)
}

/// An enrolment that an SDK takes, compared with an image that is uploaded.
pub(super) fn enrolment(members: &Value) -> Value {
    let order = json!({ "provider": "facetec", "process_type": null, "document": null });
    with(order, members)
}
