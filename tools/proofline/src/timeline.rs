//! A timeline for people: one line for each event.

use proofline_events::EventType;
use serde_json::Value;

/// The names of the columns.
pub(crate) fn heading() -> String {
    row("time", "event", "service", "says")
}

/// An event of `GET …/events` as a line.
pub(crate) fn line(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let name = text("type").trim_start_matches("proofline.v1.");
    // 2026-02-03T08:15:30.123456789Z: the time of day, in milliseconds.
    let time = text("time").split_once('T').map_or("", |(_, time)| time).trim_end_matches('Z');
    let time: String = time.chars().take(12).collect();
    let service = text("source").trim_start_matches("/proofline/");
    row(&time, name, service, &what_it_says(name, &event["data"]))
}

fn row(time: &str, event: &str, service: &str, says: &str) -> String {
    format!("  {time:<13} {event:<23} {service:<18} {says}").trim_end().to_owned()
}

fn what_it_says(event: &str, data: &Value) -> String {
    let text = |name: &str| data[name].as_str().unwrap_or_default();
    match EventType::parse(event) {
        Some(EventType::VerificationRequested) => {
            let flow = text("flow");
            let by = match text("capture_by") {
                "" => String::new(),
                by => format!("by {by}"),
            };
            let how = [text("provider"), text("process_type"), &by];
            let how = how.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
            format!("{flow}: {}", how.join(" "))
        }
        Some(EventType::DossierCreated) => format!("dossier {}", text("dossier_id")),
        Some(EventType::ProcessCreated) => match text("process_id") {
            "" => "a page that will make the process".to_owned(),
            id => format!("process {id}"),
        },
        Some(EventType::UploadStarted) => format!("{} is on its way", text("depiction")),
        Some(EventType::ImageUploaded) => {
            format!("{}: {}, {} bytes", text("depiction"), text("media_type"), data["size_bytes"])
        }
        Some(EventType::SubmissionRequested) => {
            let depictions: Vec<_> = data["depictions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            format!("verify {}", depictions.join(" and "))
        }
        Some(EventType::VerificationStarted) => "Assure verifies".to_owned(),
        Some(EventType::CompletionSignalled) => match text("claimed_status") {
            "" => format!("{}: look", text("source")),
            claimed => format!("{} claims {claimed}: look", text("source")),
        },
        Some(EventType::ProcessFinished) => format!("the end: {}", text("outcome")),
        _ => String::new(),
    }
}
