//! Which keys this process has, by their ids.

use opentelemetry::{KeyValue, global};

/// Tells metrics the ids of a keyring, the one that seals and signs first: 1 for each, so that an
/// operator sees when every process has a new key, and when none has the old one any more.
pub fn keys_in_use<'a>(keyring: &'static str, ids: impl Iterator<Item = &'a str>) {
    let gauge = global::meter("proofline")
        .u64_gauge("proofline.keys.info")
        .with_description("Keys that this process has, by keyring, id and use; always 1")
        .build();
    for (place, id) in ids.enumerate() {
        let labels = [
            KeyValue::new("keyring", keyring),
            KeyValue::new("key", id.to_owned()),
            KeyValue::new("use", if place == 0 { "seals" } else { "opens" }),
        ];
        gauge.record(1, &labels);
    }
}
