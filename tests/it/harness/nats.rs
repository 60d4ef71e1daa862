//! What a plain NATS client sees; nothing of ours but the message types of `proto/`.

use std::collections::BTreeMap;

use async_nats::{
    Client, HeaderMap,
    jetstream::{
        self,
        consumer::{AckPolicy, PullConsumer, pull},
        stream::RawMessageErrorKind,
    },
};
use futures_util::StreamExt;
use proofline_events::v1::ProcessFinished;
use prost::Message;

/// A `ProcessFinished` as it was delivered.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) subject: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) event: ProcessFinished,
}

/// Every end there is now, oldest first, by a consumer that was made just for this.
pub(crate) async fn ends_in(client: &Client) -> Vec<End> {
    let jetstream = jetstream::new(client.clone());
    let stream = jetstream.get_stream("VERIFICATIONS").await.unwrap();
    let config = pull::Config {
        filter_subject: "proofline.v1.process-finished.>".to_owned(),
        ack_policy: AckPolicy::None,
        ..Default::default()
    };
    ends_of(&stream.create_consumer(config).await.unwrap()).await
}

/// Every end that waits at a consumer now; taken from it.
pub(crate) async fn ends_of(consumer: &PullConsumer) -> Vec<End> {
    let waiting = consumer.get_info().await.unwrap().num_pending;
    let mut ends = Vec::new();
    if waiting == 0 {
        return ends;
    }
    let batch = consumer.batch().max_messages(usize::try_from(waiting).unwrap());
    let mut messages = batch.messages().await.unwrap();
    while let Some(message) = messages.next().await {
        let message = message.unwrap();
        ends.push(End {
            subject: message.subject.to_string(),
            headers: plain(message.headers.as_ref().unwrap()),
            event: ProcessFinished::decode(message.payload.clone()).unwrap(),
        });
        message.ack().await.unwrap();
    }
    assert_eq!(ends.len() as u64, waiting);
    ends
}

fn plain(headers: &HeaderMap) -> BTreeMap<String, String> {
    let pairs = headers.iter().map(|(name, values)| {
        assert_eq!(values.len(), 1, "{name} stands there twice");
        (name.to_string(), values[0].to_string())
    });
    pairs.collect()
}

/// Every message that a stream holds now: subject, headers and payload, one after the other.
pub(crate) async fn everything_in(client: &Client, stream: &str) -> Vec<Vec<u8>> {
    let jetstream = jetstream::new(client.clone());
    let stream = jetstream.get_stream(stream).await.unwrap();
    let state = &stream.cached_info().state;
    let mut all = Vec::new();
    for sequence in state.first_sequence.max(1)..=state.last_sequence {
        match stream.get_raw_message(sequence).await {
            Ok(message) => {
                let headers = format!("{:?}", message.headers);
                let text = format!("{}\n{headers}\n", message.subject);
                all.push([text.as_bytes(), &message.payload].concat());
            }
            // Removed, or done with, since.
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {}
            Err(error) => panic!("{error}"),
        }
    }
    all
}
