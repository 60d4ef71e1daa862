//! What strangers send, handed to what reads it. `fuzz/` calls these with coverage in view, the tests
//! below with whatever comes up.

use axum::{extract::Query, http::Uri};

use crate::{
    body::{is_plain, read_json},
    callback::Callback,
    end_user_return::Claims,
    webhook::Envelope,
};

/// A callback's body.
pub fn callback(body: &[u8]) {
    if let Some(callback) = read_json::<Callback>(body) {
        assert!(is_plain(&callback.signal()));
    }
}

/// A webhook's body, once it is authentic.
pub fn webhook(body: &[u8]) {
    if let Some(envelope) = Envelope::read(body) {
        assert!(is_plain(&envelope.signal()));
        envelope.own_keys().for_each(drop);
    }
}

/// What is appended to the address of an end-user's way back.
pub fn way_back(query: &str) {
    let Ok(uri) = format!("/return/x?{query}").parse::<Uri>() else { return };
    if let Ok(Query(claims)) = Query::<Claims>::try_from_uri(&uri) {
        assert!(is_plain(&claims.signal(time::OffsetDateTime::UNIX_EPOCH)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Objects with our members, and anything in them.
    fn members(names: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
        let value = prop_oneof![
            Just("null".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            ".{0,80}".prop_map(|text| serde_json::json!(text).to_string()),
            "(proofline:)?[a-z]{0,5}:?(vrf_[0-9a-z]{18,22})?"
                .prop_map(|text| serde_json::json!([text]).to_string()),
            Just(r#"{"status":"ok","dossierId":"\u0000","externalReference":"vrf_"}"#.to_owned()),
        ];
        let member = (prop::sample::select(names), value);
        prop::collection::vec(member, 0..8).prop_map(|members| {
            let members = members.iter().map(|(name, value)| format!("\"{name}\":{value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into_bytes()
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_nothing_panics_and_nothing_but_ids_is_recorded(
            body in prop::collection::vec(any::<u8>(), 0..300), query in ".{0,300}",
            of_a_callback in members(&["dossierId", "processId", "status", "x"]),
            of_a_webhook in members(&["id", "tags", "eventData", "timestamp", "sender", "x"]),
        ) {
            callback(&body);
            callback(&of_a_callback);
            webhook(&body);
            webhook(&of_a_webhook);
            way_back(&query);
        }

        #[test]
        fn claims_of_any_form_are_read(status in "\\PC{0,70}", dossier_id in "[a-z0-9-]{0,70}") {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("status", &status).append_pair("dossierId", &dossier_id);
            way_back(&query.finish());
        }
    }
}
