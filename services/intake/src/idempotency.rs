//! Idempotency keys: the same key names the same verification, the same meaning or not.

use axum::http::HeaderMap;
use proofline_events::{TenantName, VerificationId};
use proofline_problem::{Code, Problem};
use proofline_seal::{Fingerprint, Keyring};
use proofline_verification::Verification;
use serde_json::Value;
use sha2::{Digest, Sha256};

const HEADER: &str = "idempotency-key";

/// The key that came with a request, if one did.
///
/// # Errors
/// A problem when it is not 1 to 255 printable ASCII characters.
pub(crate) fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| {
        (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
    });
    let text = text.ok_or_else(|| {
        Problem::new(
            Code::Malformed,
            "Idempotency-Key must be 1 to 255 printable ASCII characters.",
        )
    })?;
    Ok(Some(text.to_owned()))
}

/// The verification that this key of this tenant names. The hash has no key of its own: it must
/// be the same after every rotation.
pub(crate) fn id_for(tenant: &TenantName, key: &str) -> VerificationId {
    let mut hash = Sha256::new();
    for part in ["proofline idempotency key", tenant.as_str(), key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (half, _) = digest.split_first_chunk::<16>().expect("a digest has 32 bytes");
    VerificationId::from_bytes(*half)
}

/// What a body means, whatever the order of its members and its white space: absent and null mean
/// the same.
pub(crate) fn fingerprint(keyring: &Keyring, body: &Value) -> Fingerprint {
    keyring.fingerprint(&canonical(body))
}

/// Whether a body means what the first request under the key meant. Taken as equal once the key of
/// its fingerprint is gone.
pub(crate) fn is_same(keyring: &Keyring, verification: &Verification, body: &Value) -> bool {
    let (digest, key_id) = verification.request.fingerprint.clone();
    let Ok(digest) = digest.try_into() else { return true };
    keyring.matches(&Fingerprint { key_id, digest }, &canonical(body)).unwrap_or(true)
}

/// `serde_json`'s maps are ordered by name, so equal values have equal texts.
fn canonical(body: &Value) -> Vec<u8> {
    let mut body = body.clone();
    drop_nulls(&mut body);
    if let Some(document) = body.get_mut("document") {
        drop_nulls(document);
    }
    body.to_string().into_bytes()
}

fn drop_nulls(value: &mut Value) {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_white_space_and_nulls_do_not_change_the_meaning() {
        let a: Value = serde_json::from_str(r#"{"a":1,"b":{"x":1,"y":2}}"#).unwrap();
        let b: Value =
            serde_json::from_str(r#"{ "b": {"y":2, "x":1}, "c": null, "a": 1 }"#).unwrap();
        assert_eq!(canonical(&a), canonical(&b));
        assert_ne!(canonical(&a), canonical(&json!({ "a": 2 })));
        let [with, without] = [json!({ "type": "visa", "id": null }), json!({ "type": "visa" })];
        assert_eq!(
            canonical(&json!({ "document": with })),
            canonical(&json!({ "document": without }))
        );
    }

    #[test]
    fn tenants_do_not_share_keys() {
        let [acme, other] = ["acme", "other"].map(|name| TenantName::parse(name).unwrap());
        assert_eq!(id_for(&acme, "k"), id_for(&acme, "k"));
        assert_ne!(id_for(&acme, "k"), id_for(&other, "k"));
    }
}
