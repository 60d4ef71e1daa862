//! Processes of each provider, ended without their images and pages.

use serde_json::{Value, json};

use crate::harness::{Process, Simulator};
use crate::processes::webid;

/// The name of each provider and the smallest Create process it takes.
pub(crate) fn each_provider() -> Vec<(&'static str, Value)> {
    vec![
        ("onfido", json!({"provider": "onfido"})),
        ("signicatvideoid", json!({"provider": "signicatvideoid"})),
        ("readid", json!({"provider": "readid"})),
        ("signicatpaper", json!({"provider": "signicatpaper", "documentCountry": "NLD"})),
        ("signicatpictureid", json!({"provider": "signicatpictureid", "documentId": 102})),
        ("facetec", json!({"provider": "facetec"})),
        ("webid", webid()),
        ("connect:idin", idin()),
    ]
}

/// The smallest log-in.
pub(crate) fn idin() -> Value {
    json!({"provider": "connect:idin", "redirectUrl": "https://app.example/"})
}

/// The same with words of a script.
pub(crate) fn with_tags(mut body: Value, words: &[&str]) -> Value {
    let tags: Vec<_> = words.iter().map(|word| format!("simulate:{word}")).collect();
    body["eventTags"] = json!(tags);
    body
}

impl Simulator {
    /// Ends a process as scripted, whatever it still lacks.
    pub(crate) async fn finish(&self, process: &Process) {
        let path = format!("/simulator/processes/{}/finish", process.id);
        self.post(&path, json!({})).await.is(200);
    }

    /// Get process of a process that was created and ended at once.
    pub(crate) async fn ended(&self, body: Value) -> Value {
        let process = self.process(body).await;
        self.finish(&process).await;
        self.get(&process.path()).await.is(200)
    }
}
