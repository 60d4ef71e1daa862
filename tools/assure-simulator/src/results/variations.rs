//! Changes that a script makes to any result.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

use super::is_verdict;
use crate::samples;
use crate::script::{Script, UserInfo};
use crate::status::Status;

/// Repeats itself only outside of deflate's window, so that compressing it saves a quarter at most.
static PADDING: LazyLock<String> = LazyLock::new(|| {
    let mut bytes = vec![0; 48 * 1024];
    StdRng::seed_from_u64(1).fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
});

/// Makes the changes.
pub(super) fn apply(script: &Script, status: &Status, body: &mut Map<String, Value>) {
    give_user_info(script.result.user_info, body);
    if script.accepted_without_final_result {
        body.remove("finalResult");
    }
    if script.result.large_result_kib > 0 && is_verdict(status) {
        pad(script.result.large_result_kib, body);
    }
    if script.result.future {
        look_ahead(body);
    }
}

fn give_user_info(form: UserInfo, body: &mut Map<String, Value>) {
    let Some(info @ Value::Object(_)) = body.get_mut("userInfo") else { return };
    match form {
        UserInfo::Object => {}
        UserInfo::Signed => {
            let header = json!({"alg": "RS256", "kid": "simulated", "typ": "JWT"}).to_string();
            let claims = info.to_string();
            let parts = [header.as_str(), &claims, "simulated-signature"];
            *info = json!(parts.map(|p| URL_SAFE_NO_PAD.encode(p)).join("."));
        }
        UserInfo::Encrypted => {
            let encrypted = samples::body("connect-accepted-encrypted");
            *info = encrypted.and_then(|s| s.get("userInfo")).cloned().unwrap_or_default();
            body.remove("finalResult");
        }
    }
}

fn pad(kib: u32, body: &mut Map<String, Value>) {
    let bytes = usize::try_from(kib).unwrap_or(usize::MAX).saturating_mul(1024);
    let mut padding = PADDING.repeat(bytes.div_ceil(PADDING.len()));
    padding.truncate(bytes);
    let specific = body.entry("providerSpecific").or_insert_with(|| json!({}));
    if let Value::Object(members) = specific {
        members.insert("simulatedPadding".to_owned(), Value::String(padding));
    }
}

/// One member and, in a result, one value that today's reference doesn't know.
fn look_ahead(body: &mut Map<String, Value>) {
    body.insert("simulatedNovelty".to_owned(), json!({"level": 1}));
    if let Some(Value::Object(result)) = body.get_mut("finalResult") {
        result.insert("documentType".to_owned(), json!("simulatedDocument"));
    } else if let Some(Value::Array(depictions)) = body.get_mut("depictions") {
        depictions.push(json!("hologram"));
    }
}
