//! Where a section measures: the installation, the services that take part, and the anchors.

use std::net::SocketAddr;

use async_nats::jetstream::{
    self,
    consumer::{Consumer, pull},
};
use futures_util::StreamExt;

use crate::{
    anchor::{Anchor, Running},
    harness::{Broker, Bus, SERVICES, Scene, Stage, eventually},
    raw::Raw,
    usage::Spent,
};

pub(crate) const RECEIVER: &str = "proofline-callback-receiver";
pub(crate) const NORMALISER: &str = "proofline-result-normaliser";
pub(crate) const INTAKE: &str = "proofline-intake";
pub(crate) const UPLOAD: &str = "proofline-upload";
pub(crate) const VERIFIER: &str = "proofline-verifier";
pub(crate) const SIMULATOR: &str = "assure-simulator";
/// The broker, as [`Venue::pid`] knows it.
pub(crate) const BROKER: &str = "nats-server";

/// Whether the broker syncs each message before it acknowledges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Default,
    Always,
}

/// An installation.
pub(crate) struct Venue {
    pub(crate) stage: Stage,
    pub(crate) jetstream: jetstream::Context,
    /// Where anybody may make a stream.
    raw: Option<Raw>,
    /// One for each server of it.
    broker_pids: Vec<u32>,
    nats: String,
}

impl Venue {
    /// Everything is started.
    pub(crate) async fn open(sync: Sync, scene: Scene) -> Self {
        let bus = match sync {
            Sync::Default => Bus::Open,
            Sync::Always => Bus::Synced,
        };
        let mut venue = Self::on(bus, scene).await;
        venue.raw = Some(Raw::prepare(venue.stage.nats.clone()).await);
        venue
    }

    /// Everything is started on this broker, without the anchors' stream.
    pub(crate) async fn on(bus: Bus, scene: Scene) -> Self {
        let stage = scene.on(bus).start().await;
        let jetstream = jetstream::new(stage.nats.clone());
        let (broker_pids, nats) = {
            let broker = stage.broker.lock().await;
            let pids = match &*broker {
                Broker::One(server) => vec![server.pid().unwrap()],
                Broker::Three(cluster) => {
                    (0..3).map(|member| cluster.member(member).pid().unwrap()).collect()
                }
            };
            (pids, broker.url())
        };
        Self { stage, jetstream, raw: None, broker_pids, nats }
    }

    /// The anchors' stream.
    pub(crate) fn raw(&self) -> &Raw {
        self.raw.as_ref().expect("a broker on which anybody may make a stream")
    }

    /// The processes of the broker.
    pub(crate) fn broker_pids(&self) -> &[u32] {
        &self.broker_pids
    }

    /// What each process has used that still runs.
    pub(crate) fn spent(&self) -> Vec<Spent> {
        let ours = SERVICES.into_iter().chain([SIMULATOR]).map(|name| (name, self.pid(name)));
        let brokers = self.broker_pids.iter().map(|pid| (BROKER, *pid));
        ours.chain(brokers).filter_map(|(name, pid)| Spent::by(name, pid)).collect()
    }

    /// Nothing but the broker and callback-receiver runs, so that what is measured is theirs.
    pub(crate) async fn of_the_receiver(sync: Sync) -> Self {
        let venue = Self::open(sync, Scene::new()).await;
        venue.leave_the_receiver_alone().await;
        venue
    }

    /// From now on nothing but the broker and callback-receiver runs.
    pub(crate) async fn leave_the_receiver_alone(&self) {
        for service in SERVICES.into_iter().filter(|service| *service != RECEIVER) {
            self.stage.process(service).terminate().await;
            self.stage.process(service).ended().await;
        }
    }

    /// Waits until nothing waits for a service. Nobody takes what the tenant's subscriber has.
    pub(crate) async fn settles(&self) {
        let is_ours =
            |name: &str| ["verifier", "result-normaliser"].iter().any(|s| name.starts_with(s));
        eventually("everything is settled", async || {
            let mut waiting = 0;
            let all = self.consumers().await;
            for consumer in all.iter().filter(|consumer| is_ours(&consumer.cached_info().name)) {
                let info = consumer.get_info().await.map_err(|error| error.to_string())?;
                waiting += info.num_pending + info.num_ack_pending as u64;
            }
            if waiting == 0 { Ok(()) } else { Err(format!("{waiting} messages")) }
        })
        .await;
    }

    /// The durable consumers of what happens to verifications.
    pub(crate) async fn consumers(&self) -> Vec<Consumer<pull::Config>> {
        let stream = self.jetstream.get_stream("VERIFICATIONS").await.unwrap();
        let names: Vec<_> = stream.consumer_names().collect().await;
        let mut consumers = Vec::new();
        for name in names {
            let consumer = stream.get_consumer::<pull::Config>(&name.unwrap()).await;
            // Others may be gone by now.
            consumers.extend(consumer.ok().filter(is_durable));
        }
        consumers
    }

    /// Where a service listens.
    pub(crate) fn address(&self, service: &str) -> SocketAddr {
        self.stage.process(service).url.trim_start_matches("http://").parse().unwrap()
    }

    /// The process of a service, of the simulator, or of the first `nats-server`.
    pub(crate) fn pid(&self, name: &str) -> u32 {
        if name == BROKER { self.broker_pids[0] } else { self.stage.process(name).pid }
    }

    /// Where the broker is.
    pub(crate) fn nats(&self) -> &str {
        &self.nats
    }

    /// The server that only answers.
    pub(crate) async fn bare(&self) -> Running {
        Running::start(&Anchor::Bare { listen: anywhere() }).await
    }

    /// The naive receiver, on the same broker.
    pub(crate) async fn naive(&self) -> Running {
        Running::start(&Anchor::Naive { listen: anywhere(), nats: self.nats.clone() }).await
    }
}

fn is_durable(consumer: &Consumer<pull::Config>) -> bool {
    consumer.cached_info().config.durable_name.is_some()
}

/// A free port of this machine's own.
pub(crate) fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
