//! `proofline demo`: the main job, visible.

use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::jetstream::{self, consumer::PullConsumer};
use futures_util::StreamExt;
use proofline_events::{Event, EventType, Word};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    installation::Caller,
    output::say,
    sample,
    sandbox::{SUBSCRIBER, Sandbox, Start},
};

/// How long a subscriber waits for an end that the API has told already.
const EVENT_WITHIN: Duration = Duration::from_secs(10);

/// Runs an accepted and a rejected verification; an error when either ends otherwise.
pub(crate) async fn run() -> anyhow::Result<()> {
    let data = tempfile::Builder::new().prefix("proofline-demo-").tempdir()?;
    let start = Start { data: data.path().to_owned(), free_ports: true, log: "warn" };
    say("Starting a nats-server, the Assure simulator and the five services …");
    let sandbox = Sandbox::start(start).await?;
    say(&format!("They run on {} and {}.", sandbox.installation.api_url, sandbox.nats_url));

    let caller = Caller::new(&sandbox.installation)?;
    let mut subscriber = Subscriber::connect(&sandbox.nats_url).await?;
    for outcome in ["accepted", "rejected"] {
        show(&caller, &mut subscriber, outcome).await?;
    }
    sandbox.stop().await?;
    say(&format!(
        "\nBoth verifications ended as scripted, each with exactly one ProcessFinished event.\n\
         All of it ran on this machine; its data was in {} and is gone now.\n\n\
         Next: `make dev` keeps it running and prints a curl to try; docs/architecture.md follows an event\n\
         through the files; `make test` runs the tests.",
        data.path().display()
    ));
    Ok(())
}

async fn show(caller: &Caller, subscriber: &mut Subscriber, outcome: &str) -> anyhow::Result<()> {
    say(&format!("\n── A verification that Assure will find {outcome} ──\n"));
    let created = caller
        .create(&json!({
            "flow": "document", "provider": "onfido", "process_type": "documentSelfie",
            "document": { "type": "passport", "country": "NOR" },
            "submit_when": ["front", "selfie"],
            "reference": format!("demo-{outcome}"), "tags": [format!("simulate:{outcome}")],
        }))
        .await
        .context("the verification could not be created")?;
    let id = created["id"].as_str().context("a verification without id")?.to_owned();
    for depiction in ["front", "selfie"] {
        caller
            .upload(&id, depiction, sample::image())
            .await
            .context("an image could not be uploaded")?;
    }
    let finished = caller.wait(&id).await?;
    let events = caller.timeline(&id).await?;
    print_timeline(&events);

    let event = subscriber.next_end().await?;
    say(&format!("\nThe subscriber {SUBSCRIBER} received: {event}"));
    let result = caller.result(&id).await?;
    print_result(&result)?;

    ensure!(finished["outcome"] == outcome, "it ended {}, not {outcome}", finished["outcome"]);
    ensure!(result["outcome"] == outcome, "its result says {}, not {outcome}", result["outcome"]);
    let ends =
        events.iter().filter(|event| event["type"] == EventType::ProcessFinished.ce_type()).count();
    ensure!(ends == 1, "it has {ends} ends");
    ensure!(event.contains(&id) && event.contains(outcome), "the subscriber received another end");
    Ok(())
}

fn print_timeline(events: &[Value]) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |time: &str, event: &str, service: &str, says: &str| {
        say(&format!("  {time:<13} {event:<24} {service:<18} {says}"));
    };
    row("time", "event", "service", "says");
    for event in events {
        let time = text(&event["time"]);
        let time = time.split_once('T').map_or("", |(_, time)| time);
        let name = text(&event["type"]);
        let name = name.trim_start_matches("proofline.v1.").to_owned();
        let service = text(&event["source"]);
        let says = what_it_says(&name, &event["data"]);
        let time: String = time.trim_end_matches('Z').chars().take(12).collect();
        row(&time, &name, service.trim_start_matches("/proofline/"), &says);
    }
}

fn what_it_says(event: &str, data: &Value) -> String {
    let text = |name: &str| data[name].as_str().unwrap_or_default();
    match EventType::parse(event) {
        Some(EventType::VerificationRequested) => {
            format!("{} {} by {}", text("provider"), text("process_type"), text("capture_by"))
        }
        Some(EventType::DossierCreated) => format!("dossier {}", text("dossier_id")),
        Some(EventType::ProcessCreated) => format!("process {}", text("process_id")),
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
        Some(EventType::CompletionSignalled) => {
            format!("a {} claims {}: look", text("source"), text("claimed_status"))
        }
        Some(EventType::ProcessFinished) => format!("the end: {}", text("outcome")),
        _ => String::new(),
    }
}

fn print_result(result: &Value) -> anyhow::Result<()> {
    let shown = json!({
        "outcome": result["outcome"],
        "depictions": result["depictions"],
        "final_result": result["final_result"],
    });
    say(&format!(
        "\nThe normalised result, over HTTP (its personal data is never on the bus):\n{}",
        serde_json::to_string_pretty(&shown)?
    ));
    Ok(())
}

/// An internal service that is told of each end, on the durable consumer that provisioning made.
struct Subscriber {
    consumer: PullConsumer,
}

impl Subscriber {
    async fn connect(nats_url: &str) -> anyhow::Result<Self> {
        let jetstream = jetstream::new(async_nats::connect(nats_url).await?);
        let consumer = jetstream.get_consumer_from_stream(SUBSCRIBER, "VERIFICATIONS").await;
        Ok(Self { consumer: consumer.context("the subscriber's consumer is not there")? })
    }

    async fn next_end(&mut self) -> anyhow::Result<String> {
        let mut messages =
            self.consumer.batch().max_messages(1).expires(EVENT_WITHIN).messages().await?;
        let message = timeout(EVENT_WITHIN, messages.next()).await.ok().flatten();
        let message = message.context("no event came")?.map_err(|error| anyhow::anyhow!(error))?;
        let Event::ProcessFinished(end) =
            Event::decode(EventType::ProcessFinished, &message.payload)?
        else {
            anyhow::bail!("another event came");
        };
        message.ack().await.map_err(|error| anyhow::anyhow!(error))?;
        Ok(format!("ProcessFinished {} {}", end.verification_id, end.outcome().word()))
    }
}
