//! Raw publishing, as plain as a client can: what JetStream itself takes.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use async_nats::{
    Client, HeaderMap, header,
    jetstream::{
        self,
        stream::{Config, StorageType},
    },
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::{anchor::STREAM, load::Latencies};

/// As long as what callback-receiver stores: headers and all.
const PAYLOAD: &[u8; 200] = &[b'x'; 200];

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The anchors' stream, on the broker of the services.
#[derive(Clone)]
pub(crate) struct Raw {
    client: Client,
    pub(crate) jetstream: jetstream::Context,
}

impl Raw {
    /// Makes the stream.
    pub(crate) async fn prepare(client: Client) -> Self {
        let jetstream = jetstream::new(client.clone());
        let config = Config {
            name: STREAM.to_owned(),
            subjects: vec![format!("{STREAM}.>")],
            storage: StorageType::File,
            allow_atomic_publish: true,
            allow_direct: true,
            ..Config::default()
        };
        jetstream.create_stream(config).await.unwrap();
        Self { client, jetstream }
    }

    /// Publishes one message; returns once it is acknowledged.
    pub(crate) async fn publish(&self) -> String {
        let subject = subject();
        let ack = self.jetstream.publish(subject.clone(), Bytes::from_static(PAYLOAD)).await;
        ack.unwrap().await.unwrap();
        subject
    }

    /// One message after the other.
    pub(crate) async fn one_at_a_time(&self, time: Duration) -> Latencies {
        let mut latencies = Latencies::default();
        let until = Instant::now() + time;
        loop {
            let sent = Instant::now();
            if sent > until {
                return latencies;
            }
            self.publish().await;
            latencies.add(sent.elapsed());
        }
    }

    /// Messages per second with so many in flight.
    pub(crate) async fn in_flight(&self, count: usize, time: Duration) -> f64 {
        let begun = Instant::now();
        let subjects =
            stream::repeat_with(subject).take_while(|_| async { begun.elapsed() < time });
        let published = subjects
            .then(|subject| self.jetstream.publish(subject, Bytes::from_static(PAYLOAD)))
            .map(async |ack| {
                ack.unwrap().await.unwrap();
            })
            .buffered(count)
            .count()
            .await;
        published as f64 / begun.elapsed().as_secs_f64()
    }

    /// Messages per second in atomic batches of this size, one batch at a time.
    pub(crate) async fn in_batches(&self, size: usize, time: Duration) -> f64 {
        let begun = Instant::now();
        let mut published = 0;
        while begun.elapsed() < time {
            self.batch(size).await;
            published += size;
        }
        published as f64 / begun.elapsed().as_secs_f64()
    }

    async fn batch(&self, size: usize) {
        let id = format!("batch-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        for index in 1..=size {
            let mut headers = HeaderMap::new();
            headers.insert(header::NATS_BATCH_ID, id.as_str());
            headers.insert(header::NATS_BATCH_SEQUENCE, index.to_string());
            let payload = Bytes::from_static(PAYLOAD);
            if index == size {
                headers.insert(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
                let answer = self.client.request_with_headers(subject(), headers, payload).await;
                let answer: Value = serde_json::from_slice(&answer.unwrap().payload).unwrap();
                assert_eq!(answer["count"], size, "{answer}");
            } else if index == 1 {
                let answer = self.client.request_with_headers(subject(), headers, payload).await;
                assert!(answer.unwrap().payload.is_empty());
            } else {
                self.client.publish_with_headers(subject(), headers, payload).await.unwrap();
            }
        }
    }
}

/// One of its own for each message, as each verification has.
fn subject() -> String {
    format!("{STREAM}.raw.{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
