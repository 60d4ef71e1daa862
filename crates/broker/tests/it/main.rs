//! The broker as its users see it: real servers, asked over NATS.

mod cluster;
mod one_server;

use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::jetstream::stream;

/// A file stream `FACTS` with `replicas` replicas; asked for again until the server can make it.
async fn facts_stream(url: &str, replicas: usize) -> jetstream::Context {
    let client = async_nats::connect(url).await.expect("the server is ready");
    let context = jetstream::new(client);
    let config = stream::Config {
        name: "FACTS".into(),
        subjects: vec!["facts.>".into()],
        num_replicas: replicas,
        ..stream::Config::default()
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    // A server may yet be taken for dead that was slow to answer.
    while let Err(failure) = context.create_stream(config.clone()).await {
        assert!(Instant::now() < deadline, "no stream within 30 s: {failure}");
    }
    context
}

/// Publishes until it is acknowledged: during an election of a leader the first attempts fail.
async fn publish(context: &jetstream::Context, payload: &'static str) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let sent = context.publish("facts.one", payload.into()).await;
        let failure = match sent {
            Ok(acknowledgement) => match acknowledgement.await {
                Ok(stored) => return stored.sequence,
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        assert!(Instant::now() < deadline, "not stored within 30 s: {failure}");
    }
}

async fn stored(context: &jetstream::Context) -> u64 {
    let mut stream = context.get_stream("FACTS").await.expect("the stream is there");
    stream.info().await.expect("the stream answers").state.messages
}
