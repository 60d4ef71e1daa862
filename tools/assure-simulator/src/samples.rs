//! The bodies of Get process in `samples/`, one for each provider and outcome.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// A body of Get process about a person who doesn't exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// File name without `.json`: `<provider>-<outcome>`, after `quirk-` where it deviates from the
    /// published schema on purpose.
    pub name: &'static str,
    /// The whole body.
    pub json: &'static str,
}

macro_rules! embed {
    ($($name:literal,)+) => {
        &[$(Sample {
            name: $name,
            json: include_str!(concat!("../samples/", $name, ".json")),
        },)+]
    };
}

const SAMPLES: &[Sample] = embed![
    "connect-accepted",
    "connect-accepted-encrypted",
    "connect-failed",
    "connect-inconclusive",
    "connect-rejected",
    "facetec-accepted",
    "facetec-inconclusive",
    "facetec-rejected",
    "onfido-accepted",
    "onfido-canceled",
    "onfido-inconclusive",
    "onfido-rejected",
    "quirk-connect-accepted",
    "quirk-facetec-accepted",
    "quirk-readid-inconclusive",
    "quirk-signicatpaper-accepted",
    "quirk-signicatpictureid-accepted",
    "quirk-signicatvideoid-accepted",
    "quirk-signicatvideoid-rejected",
    "quirk-webid-accepted",
    "readid-accepted",
    "readid-inconclusive",
    "readid-inconclusive-face",
    "readid-rejected",
    "signicatpaper-accepted",
    "signicatpaper-inconclusive",
    "signicatpaper-rejected",
    "signicatpictureid-accepted",
    "signicatpictureid-failed",
    "signicatpictureid-inconclusive",
    "signicatpictureid-rejected",
    "signicatvideoid-accepted",
    "signicatvideoid-failed",
    "signicatvideoid-inconclusive",
    "signicatvideoid-rejected",
    "webid-accepted",
    "webid-inconclusive",
    "webid-rejected",
];

static BODIES: LazyLock<BTreeMap<&str, Map<String, Value>>> = LazyLock::new(|| {
    let parse = |s: &Sample| serde_json::from_str(s.json).expect("the samples are JSON objects");
    SAMPLES.iter().map(|s| (s.name, parse(s))).collect()
});

/// Every sample, by name.
pub fn samples() -> impl Iterator<Item = Sample> {
    SAMPLES.iter().copied()
}

/// The body of the sample with that name.
pub(crate) fn body(name: &str) -> Option<&'static Map<String, Value>> {
    BODIES.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_embedded_under_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
            .collect();
        files.sort();

        let names: Vec<_> = samples().map(|s| s.name).collect();

        assert_eq!(names, files);
    }

    #[test]
    fn each_sample_is_a_finished_process_of_its_provider() {
        assert_eq!(samples().count(), 38);
        for Sample { name, .. } in samples() {
            let body = body(name).unwrap();
            let status = body["status"].as_str().unwrap();
            assert!(crate::Status::from(status).is_final(), "{name}");
            let words: Vec<_> = name.trim_start_matches("quirk-").split('-').collect();
            assert_eq!(words[1], status, "{name}");
            let provider = body["provider"].as_str().unwrap();
            // The older name of VideoID is one of the quirks.
            assert!(provider.starts_with(words[0]) || provider == "eid", "{name}");
        }
    }
}
