//! The title and the buttons of each kind of page.

use crate::pages::Kind;
use crate::status::Status;
use crate::store::Process;

use super::html::Button;

pub(super) fn title(kind: Kind, process: &Process) -> String {
    let provider = process.provider.as_str();
    match kind {
        Kind::Connect => {
            let method = provider.strip_prefix("connect:").unwrap_or(provider);
            format!("Log in with {method} (simulated)")
        }
        Kind::Capture => "Show your document (simulated)".to_owned(),
        Kind::Webid => "Identify yourself with WebID (simulated)".to_owned(),
        Kind::Readid => "ReadID Ready app (simulated)".to_owned(),
    }
}

/// The buttons; the first is what the script has in mind.
pub(super) fn of(kind: Kind, process: &Process) -> Vec<Button> {
    let scripted = process.outcome();
    let words = outcomes(kind).map(|(status, label)| Button::new(status.as_str(), label));
    let mut buttons = Vec::from(words);
    match kind {
        Kind::Connect | Kind::Webid => {
            match buttons.iter().position(|b| b.word == scripted.as_str()) {
                Some(at) => buttons[..=at].rotate_right(1),
                None => buttons.insert(0, as_scripted("As scripted", scripted)),
            }
        }
        Kind::Capture => {
            buttons.insert(0, as_scripted("All pictures taken", scripted));
            buttons.push(Button::new("again", "Start again"));
        }
        Kind::Readid => buttons.insert(0, as_scripted("Chip and face read", scripted)),
    }
    buttons
}

fn as_scripted(label: &str, scripted: &Status) -> Button {
    let end = if scripted.is_final() { scripted.as_str() } else { "never ends" };
    Button::new("as-scripted", &format!("{label} (as scripted: {end})"))
}

fn outcomes(kind: Kind) -> [(Status, &'static str); 5] {
    let labels = match kind {
        Kind::Connect => ["Log in", "Refuse", "Unclear", "Technical error"],
        Kind::Webid => ["Identified", "Not identified", "Data do not match", "Technical error"],
        Kind::Capture | Kind::Readid => {
            ["Will pass", "Will be rejected", "Will be unclear", "Will fail"]
        }
    };
    let [accepted, rejected, inconclusive, failed] = labels;
    [
        (Status::Accepted, accepted),
        (Status::Rejected, rejected),
        (Status::Canceled, "Cancel"),
        (Status::Failed, failed),
        (Status::Inconclusive, inconclusive),
    ]
}
