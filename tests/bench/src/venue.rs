//! Where a section measures: the installation, the services that take part, and the anchors.

use std::net::SocketAddr;

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
    pub(crate) raw: Raw,
    broker_pid: u32,
    nats: String,
}

impl Venue {
    /// Everything is started.
    pub(crate) async fn open(sync: Sync, scene: Scene) -> Self {
        let scene = match sync {
            Sync::Default => scene,
            Sync::Always => scene.on(Bus::Synced),
        };
        let stage = scene.start().await;
        let raw = Raw::prepare(stage.nats.clone()).await;
        let (broker_pid, nats) = {
            let broker = stage.broker.lock().await;
            let Broker::One(server) = &*broker else { panic!("one server is measured") };
            (server.pid().unwrap(), server.url())
        };
        Self { stage, raw, broker_pid, nats }
    }

    /// Nothing but the broker and callback-receiver runs, so that what is measured is theirs.
    pub(crate) async fn of_the_receiver(sync: Sync) -> Self {
        let venue = Self::open(sync, Scene::new()).await;
        for service in SERVICES.into_iter().filter(|service| *service != RECEIVER) {
            venue.stage.process(service).terminate().await;
            venue.stage.process(service).ended().await;
        }
        venue
    }

    /// Where a service listens.
    pub(crate) fn address(&self, service: &str) -> SocketAddr {
        self.stage.process(service).url.trim_start_matches("http://").parse().unwrap()
    }

    /// The process of a service, of the simulator, or of `nats-server`.
    pub(crate) fn pid(&self, name: &str) -> u32 {
        if name == BROKER { self.broker_pid } else { self.stage.process(name).pid }
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
