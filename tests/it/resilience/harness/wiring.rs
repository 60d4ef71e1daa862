//! The network of a fleet on a cluster: each service has cables of its own to each server of the
//! broker, and each server has one to each other.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use proofline_broker::Detour;

use super::{Cable, Link};

/// How many servers the broker of such a fleet has.
pub(crate) const NODES: usize = 3;

/// All cables.
#[derive(Clone, Default)]
pub(crate) struct Wiring(Arc<Mutex<BTreeMap<(End, usize), Cable>>>);

/// Who is at the near end; at the far end is a server of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// The member of the fleet with this program and number.
    Member(&'static str, usize),
    /// The server of the broker with this number.
    Node(usize),
}

impl Wiring {
    /// Cables between the servers, laid when these are started.
    pub(super) fn between_nodes(&self) -> Detour {
        let wiring = self.clone();
        Detour::new(move |from, to, port| wiring.lay(End::Node(from), to, port))
    }

    /// Cables from a member to the servers at these ports; the addresses it is given.
    pub(super) fn urls_for(&self, program: &'static str, number: usize, ports: &[u16]) -> String {
        let from = End::Member(program, number);
        let nodes = ports.iter().enumerate();
        let urls =
            nodes.map(|(to, port)| format!("nats://127.0.0.1:{}", self.lay(from, to, *port)));
        urls.collect::<Vec<_>>().join(",")
    }

    fn lay(&self, from: End, to: usize, port: u16) -> u16 {
        let cable = Cable::lay(port);
        let port = cable.port;
        self.cables().insert((from, to), cable);
        port
    }

    /// Cuts or mends what is between these two, whoever called whom.
    pub(crate) fn becomes(&self, from: End, to: usize, link: Link) {
        let cables = self.cables();
        let there = cables.get(&(from, to));
        let back = match from {
            End::Node(node) => cables.get(&(End::Node(to), node)),
            End::Member(..) => None,
        };
        assert!(there.is_some(), "there is no cable from {from:?} to {to}");
        there.into_iter().chain(back).for_each(|cable| cable.becomes(link));
    }

    fn cables(&self) -> MutexGuard<'_, BTreeMap<(End, usize), Cable>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
