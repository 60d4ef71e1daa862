//! What the demo shows, and what its end-users do.

use anyhow::{Context, ensure};
use reqwest::{Response, header::LOCATION, redirect};
use serde_json::{Value, json};

use crate::{installation::Caller, output::say, sample};

/// Where the demo's application wants its end-users back. Nothing listens there.
const APPLICATION: &str = "http://127.0.0.1:3000/done?order=778";

/// A verification to show.
pub(super) struct Scenario {
    pub(super) title: &'static str,
    way: Way,
    /// What the simulator is told to do.
    tags: &'static [&'static str],
    pub(super) outcome: &'static str,
    /// What may have led to the end.
    pub(super) signals: &'static [&'static str],
}

/// How the end-user is verified.
enum Way {
    /// Images through Proofline.
    Upload,
    /// The provider's SDK, of which the demo shows the token.
    Sdk,
    /// Assure's hosted capture page.
    Capture,
    /// A log-in with an electronic identity.
    Eid,
}

pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario {
        title: "Document flow by upload: Assure accepts",
        way: Way::Upload,
        tags: &["simulate:accepted"],
        outcome: "accepted",
        signals: &["callback"],
    },
    Scenario {
        title: "Document flow by upload: Assure rejects",
        way: Way::Upload,
        tags: &["simulate:rejected"],
        outcome: "rejected",
        signals: &["callback"],
    },
    Scenario {
        title: "A callback is lost: it is missed after 2 s and looked up",
        way: Way::Upload,
        tags: &["simulate:accepted", "simulate:callback-lost"],
        outcome: "accepted",
        signals: &["reconciliation"],
    },
    Scenario {
        title: "Document flow by the provider's SDK",
        way: Way::Sdk,
        tags: &["simulate:accepted"],
        outcome: "accepted",
        signals: &["callback"],
    },
    Scenario {
        title: "Capture flow: the end-user goes to Assure's page and comes back",
        way: Way::Capture,
        tags: &[],
        outcome: "accepted",
        signals: &["callback", "return"],
    },
    Scenario {
        title: "eID flow: the end-user logs in and comes back",
        way: Way::Eid,
        tags: &[],
        outcome: "accepted",
        signals: &["callback", "return"],
    },
];

impl Scenario {
    /// The body of its creation.
    pub(super) fn body(&self) -> Value {
        let mut body = match self.way {
            Way::Upload => json!({
                "flow": "document", "provider": "onfido", "process_type": "documentSelfie",
                "document": { "type": "passport", "country": "NOR" },
                "submit_when": ["front", "selfie"],
            }),
            Way::Sdk => json!({
                "flow": "document", "provider": "readid", "process_type": "sdk", "capture_by": "sdk",
            }),
            Way::Capture => json!({
                "flow": "capture", "provider": "signicatpictureid", "return_url": APPLICATION,
            }),
            Way::Eid => {
                json!({ "flow": "eid", "provider": "connect:idin", "return_url": APPLICATION })
            }
        };
        body["reference"] = "order-778".into();
        body["tags"] = self.tags.into();
        body
    }

    /// What the end-user, and the caller for them, does then.
    pub(super) async fn act(&self, caller: &Caller, created: &Value) -> anyhow::Result<()> {
        match self.way {
            Way::Upload => {
                for depiction in ["front", "selfie"] {
                    let sent = caller.upload(created, depiction, &sample::image()).await;
                    sent.context("an image could not be uploaded")?;
                }
                Ok(())
            }
            Way::Sdk => {
                let token = created["next_action"]["token"].as_str();
                let token = token.context("there is no token for the SDK")?;
                say(&format!("The app's SDK is given a token ({} bytes).\n", token.len()));
                let id = created["id"].as_str().context("a verification without id")?;
                caller.submit(id).await.context("it could not be submitted")
            }
            Way::Capture => visit(created, "done").await,
            Way::Eid => visit(created, "accepted").await,
        }
    }
}

/// The end-user opens the page, chooses, and follows each address until the application's own.
async fn visit(created: &Value, choice: &str) -> anyhow::Result<()> {
    let page = created["next_action"]["url"].as_str();
    let page = page.context("there is no page for the end-user")?;
    let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build()?;
    http.get(page).send().await?.error_for_status()?;
    say(&format!("The end-user opens {}", shortened(page)));
    let chosen = http.post(page).form(&[("choice", choice)]).send().await?;
    let back = location(&chosen).context("the page sends the end-user nowhere")?;
    say(&format!("…and is sent back to {}", shortened(&back)));
    let on = location(&http.get(back).send().await?).context("the way back ends with us")?;
    say(&format!("…and on to {on}\n"));
    ensure!(on.starts_with(APPLICATION), "the end-user does not land in the application");
    Ok(())
}

fn location(response: &Response) -> Option<String> {
    Some(response.headers().get(LOCATION)?.to_str().ok()?.to_owned())
}

/// What follows in such addresses is a secret, and long.
fn shortened(url: &str) -> String {
    let shown: String = url.chars().take(48).collect();
    if shown.len() < url.len() { format!("{shown}…") } else { shown }
}
