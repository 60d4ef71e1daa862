//! What the stream holds of a load: which verifications there are, and their ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
};

use async_nats::{
    Client,
    jetstream::{
        self, Message,
        consumer::{AckPolicy, DeliverPolicy, pull},
    },
};
use futures_util::{StreamExt, TryStreamExt};
use proofline_events::v1::{
    CompletionSignalled, ProcessFinished, SignalSource, VerificationRequested,
};
use prost::Message as _;
use time::OffsetDateTime;

const STREAM: &str = "VERIFICATIONS";

/// Read so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Reference by verification, of this load's.
    pub(super) requested: BTreeMap<String, String>,
    /// Whoever's they are, by verification.
    pub(super) ends: BTreeMap<String, Vec<End>>,
    /// Every callback that was recorded.
    pub(super) callbacks: BTreeSet<Callback>,
    last_sequence: u64,
}

/// What a callback says. Repeats of one say the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Callback {
    pub(crate) dossier_id: String,
    pub(crate) process_id: String,
    pub(crate) status: String,
}

/// An end as the stream has it.
#[derive(Debug)]
pub(super) struct End {
    pub(super) at: OffsetDateTime,
    pub(super) outcome: String,
}

impl Told {
    /// Reads what is new, of verifications whose reference begins so; whether the services have nothing left to
    /// handle. While the broker can't be asked, nothing is new.
    pub(super) async fn read_on(&mut self, nats: &Client, prefix: &str) -> bool {
        // In this order: nothing may be told after somebody was seen to be idle.
        let is_at_rest = is_at_rest(nats).await.unwrap_or_default();
        self.read(nats, prefix).await.is_ok() && is_at_rest
    }

    async fn read(&mut self, nats: &Client, prefix: &str) -> Result<(), Box<dyn Error>> {
        let stream = jetstream::new(nats.clone()).get_stream(STREAM).await?;
        let events = ["verification-requested", "completion-signalled", "process-finished"];
        let config = pull::Config {
            filter_subjects: events.map(|event| format!("proofline.v1.{event}.>")).to_vec(),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: self.last_sequence + 1,
            },
            ack_policy: AckPolicy::None,
            ..Default::default()
        };
        let consumer = stream.create_consumer(config).await?;
        let waiting = usize::try_from(consumer.cached_info().num_pending)?;
        let mut messages = consumer.batch().max_messages(waiting.max(1)).messages().await?;
        for _ in 0..waiting {
            let Some(message) = messages.next().await else { break };
            self.take(&message.map_err(|error| error.to_string())?, prefix)?;
        }
        Ok(stream.delete_consumer(&consumer.cached_info().name).await.map(drop)?)
    }

    fn take(&mut self, message: &Message, prefix: &str) -> Result<(), Box<dyn Error>> {
        let info = message.info().map_err(|error| error.to_string())?;
        self.last_sequence = info.stream_sequence;
        let is = |event| message.subject.starts_with(&format!("proofline.v1.{event}."));
        if is("verification-requested") {
            let event = VerificationRequested::decode(message.payload.clone())?;
            if event.reference.starts_with(prefix) {
                self.requested.insert(event.verification_id, event.reference);
            }
        } else if is("completion-signalled") {
            let event = CompletionSignalled::decode(message.payload.clone())?;
            if event.source() == SignalSource::Callback {
                self.callbacks.insert(Callback {
                    dossier_id: event.claimed_dossier_id,
                    process_id: event.claimed_process_id,
                    status: event.claimed_status,
                });
            }
        } else {
            let event = ProcessFinished::decode(message.payload.clone())?;
            let outcome = event.outcome().as_str_name();
            let outcome = outcome.trim_start_matches("OUTCOME_").to_lowercase();
            let end = End { at: info.published, outcome };
            self.ends.entry(event.verification_id).or_default().push(end);
        }
        Ok(())
    }
}

/// Whether every service has handled every event.
async fn is_at_rest(nats: &Client) -> Result<bool, Box<dyn Error>> {
    let stream = jetstream::new(nats.clone()).get_stream(STREAM).await?;
    let consumers: Vec<_> = stream.consumers().try_collect().await?;
    // A subscriber whom nobody has started is nothing to wait for.
    let is_ours =
        |name: &str| ["verifier-", "result-normaliser-"].iter().any(|s| name.starts_with(s));
    let mut ours = consumers.iter().filter(|consumer| is_ours(&consumer.name));
    Ok(ours.all(|consumer| consumer.num_pending == 0 && consumer.num_ack_pending == 0))
}
