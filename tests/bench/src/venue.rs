//! Where a section measures: the installation, the services that take part, and the anchors.

use std::net::SocketAddr;

use async_nats::jetstream;

use crate::{
    anchor::{Anchor, Running},
    harness::{Broker, Bus, SERVICES, Scene, Stage},
    raw::Raw,
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

/// A free port of this machine's own.
pub(crate) fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
