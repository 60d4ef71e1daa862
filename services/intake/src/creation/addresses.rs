//! WebID is told where the end-user goes next in a place of its own, four times over.

use proofline_events::v1::{CaptureBy, Flow};
use proofline_problem::Fault;
use proofline_verification::provider::{Capability, Combination};
use serde_json::{Map, Value};

use super::Creation;

const PROVIDER: &str = "webid";
const PARENT: &str = "userActionParameters";
/// After success, refusal, mismatch and cancel: the same address for all, as only Get process tells
/// which it was.
const ADDRESSES: [&str; 4] =
    ["redirectUrl", "redirectDeclineUrl", "redirectMismatchUrl", "redirectCancelUrl"];

/// What is wrong with the places where the addresses go: WebID's members must be there, and not be
/// taken.
pub(super) fn faults(
    asked: &Combination<'_>,
    options: &Map<String, Value>,
    parameters: &Map<String, Value>,
) -> Vec<Fault> {
    let fault = |pointer, detail: &str| Fault { pointer, detail: detail.to_owned() };
    let (members, pointer) = match (asked.flow, asked.capture_by) {
        _ if asked.provider != PROVIDER => return Vec::new(),
        // In a capture the provider's members stand among the options.
        (Flow::Capture, _) => (options, "/options/webid".to_owned()),
        (Flow::Document, Some(CaptureBy::Page)) => (parameters, "/parameters/webid".to_owned()),
        // Impossible, which is told elsewhere.
        (Flow::Document | Flow::Eid | Flow::Unspecified, _) => return Vec::new(),
    };
    let Some(webid) = members.get(PROVIDER).and_then(Value::as_object) else {
        return vec![fault(pointer, "is required: an object with WebID's members")];
    };
    match webid.get(PARENT) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(given)) => {
            let taken = ADDRESSES.iter().filter(|name| given.contains_key(**name));
            let at = |name| format!("{pointer}/{PARENT}/{name}");
            taken.map(|name| fault(at(name), "is set by Proofline itself")).collect()
        }
        Some(_) => vec![fault(format!("{pointer}/{PARENT}"), "must be an object")],
    }
}

impl Creation {
    /// Puts our address into all four places, for a provider that has them.
    pub(super) fn send_back_to(&self, address: &str, members: &mut Map<String, Value>) {
        if !has_places(self.capability) {
            return;
        }
        let Some(webid) = members.get_mut(PROVIDER).and_then(Value::as_object_mut) else { return };
        let parent = webid.entry(PARENT).or_insert(Value::Null);
        if !parent.is_object() {
            *parent = Value::Object(Map::new());
        }
        if let Some(parent) = parent.as_object_mut() {
            parent.extend(ADDRESSES.map(|name| (name.to_owned(), Value::from(address))));
        }
    }
}

fn has_places(capability: &Capability) -> bool {
    capability.provider == PROVIDER
}
