//! `proofline demo`: the main job, visible.

mod scenario;

use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::{
    ServerAddr,
    jetstream::{
        self,
        consumer::{AckPolicy, pull},
    },
};
use futures_util::StreamExt;
use proofline_events::{Event, EventType, Word};
use proofline_journal::topology::VERIFICATIONS;
use proofline_settings::Source;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::{
    installation::Caller,
    output::say,
    sandbox::{API_KEY, Sandbox, Start},
    timeline,
};

use scenario::{SCENARIOS, Scenario};

/// How long a subscriber waits for an end that the API has told already.
const EVENT_WITHIN: Duration = Duration::from_secs(10);
/// How long the API is asked to wait for an end.
const WAIT_SECONDS: u64 = 60;

/// So that a lost callback is looked up within seconds, not minutes.
const IMPATIENT: [(&str, &str); 2] =
    [("PROOFLINE_CALLBACK_GRACE", "2s"), ("PROOFLINE_RECONCILE_INTERVAL", "1s")];

/// Runs every scenario; an error when one ends otherwise.
pub(crate) async fn run() -> anyhow::Result<()> {
    let data = tempfile::Builder::new().prefix("proofline-demo-").tempdir()?;
    let start = Start {
        data: data.path().to_owned(),
        free_ports: true,
        defaults: Source::from_pairs(IMPATIENT.into_iter().chain([("PROOFLINE_LOG", "warn")])),
    };
    say("Starting a nats-server, the Assure simulator and the five services …");
    let sandbox = Sandbox::start(start).await?;
    say(&format!("They run on {} and {}.", sandbox.api_url, sandbox.nats_url));

    let caller = Caller::new(&sandbox.api_url, API_KEY.into())?;
    // Names this run, so that a NATS that is used again does not take it for an earlier one.
    let run = data.path().display().to_string();
    let subscriber = Subscriber::connect(&sandbox.nats_url).await?;
    for scenario in &SCENARIOS {
        show(&caller, &subscriber, scenario, &run).await?;
    }
    drop(subscriber);
    sandbox.stop().await?;
    say(&format!(
        "\nAll {} ended as scripted, each with exactly one ProcessFinished event.\n\
         Everything ran on this machine; its data was in {} and is gone now.\n\n\
         Next: `make dev` keeps it running and prints a curl to try; docs/architecture.md follows\n\
         an event through the files; `make test` runs the tests.",
        SCENARIOS.len(),
        data.path().display()
    ));
    Ok(())
}

async fn show(
    caller: &Caller,
    subscriber: &Subscriber,
    scenario: &Scenario,
    run: &str,
) -> anyhow::Result<()> {
    let Scenario { title, outcome, signals, .. } = scenario;
    say(&format!("\n── {title} ──\n"));
    let created = caller
        .create(&scenario.body(), &format!("{run} {title}"))
        .await
        .context("the verification could not be created")?;
    let id = created["id"].as_str().context("a verification without id")?.to_owned();
    scenario.act(caller, &created).await?;
    let finished = caller.wait(&id, WAIT_SECONDS).await?;
    let events = caller.timeline(&id).await?;
    print_timeline(&events);

    let event = subscriber.the_end_of(&id).await?;
    say(&format!("\nA subscriber received: {event}"));
    let result = caller.result(&id).await?;
    print_result(&result)?;

    ensure!(finished["outcome"] == *outcome, "it ended {}, not {outcome}", finished["outcome"]);
    ensure!(result["outcome"] == *outcome, "its result says {}, not {outcome}", result["outcome"]);
    let is_end = |event: &&Value| event["type"] == EventType::ProcessFinished.ce_type();
    let ends: Vec<_> = events.iter().filter(is_end).collect();
    ensure!(ends.len() == 1, "it has {} ends", ends.len());
    let led = ends[0]["data"]["signal_source"].as_str().unwrap_or_default();
    ensure!(signals.contains(&led), "its end came by {led}, not by {}", signals.join(" or "));
    ensure!(event.contains(&id) && event.contains(outcome), "the subscriber received another end");
    Ok(())
}

fn print_timeline(events: &[Value]) {
    say(&timeline::heading());
    for event in events {
        say(&timeline::line(event));
    }
}

fn print_result(result: &Value) -> anyhow::Result<()> {
    // An eID's claims have no common form: they are shown as they came.
    let findings = if result["user_info"].is_null() { "final_result" } else { "user_info" };
    let found = result[findings].as_object().into_iter().flatten();
    let known: Map<String, Value> = found
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let known = if known.is_empty() { Value::Null } else { Value::Object(known) };
    let shown = json!({ "outcome": result["outcome"], findings: known });
    say(&format!(
        "\nThe result, over HTTP, as personal data is never on the bus (shortened to what is known):\n{}",
        serde_json::to_string_pretty(&shown)?
    ));
    Ok(())
}

/// An internal service that is told of ends. It has a consumer for each of them instead of the durable
/// that provisioning made: on a NATS that is used again, what waits there is somebody's.
struct Subscriber {
    jetstream: jetstream::Context,
}

impl Subscriber {
    async fn connect(nats_url: &str) -> anyhow::Result<Self> {
        let servers = nats_url.split(',').map(|url| url.trim().parse());
        let servers = servers.collect::<Result<Vec<ServerAddr>, _>>()?;
        Ok(Self { jetstream: jetstream::new(async_nats::connect(servers).await?) })
    }

    async fn the_end_of(&self, id: &str) -> anyhow::Result<String> {
        let stream = self.jetstream.get_stream_no_info(VERIFICATIONS).await?;
        let config = pull::Config {
            filter_subject: format!("{}.*.{id}", EventType::ProcessFinished.ce_type()),
            ack_policy: AckPolicy::None,
            inactive_threshold: 2 * EVENT_WITHIN,
            ..Default::default()
        };
        let consumer = stream.create_consumer(config).await.context("cannot subscribe")?;
        let mut messages =
            consumer.batch().max_messages(1).expires(EVENT_WITHIN).messages().await?;
        let message = timeout(EVENT_WITHIN, messages.next()).await.ok().flatten();
        let message = message.context("no event came")?.map_err(|error| anyhow::anyhow!(error))?;
        let Event::ProcessFinished(end) =
            Event::decode(EventType::ProcessFinished, &message.payload)?
        else {
            anyhow::bail!("another event came");
        };
        Ok(format!("ProcessFinished {} {}", end.verification_id, end.outcome().word()))
    }
}
