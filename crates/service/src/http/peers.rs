//! How many connections each address has.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts connections by address, if there is a limit for one.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    max: Option<usize>,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection that counts until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    peer: IpAddr,
    peers: Peers,
}

impl Peers {
    pub(super) fn new(max: Option<usize>) -> Self {
        Self { max, counts: Arc::default() }
    }

    /// Counts one more of this address; nothing if it has as many as it may.
    pub(super) fn count(&self, peer: IpAddr) -> Option<Counted> {
        // One peer in two notations must not count twice.
        let peer = peer.to_canonical();
        if let Some(max) = self.max {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(peer).or_default();
            if *count >= max {
                return None;
            }
            *count += 1;
        }
        Some(Counted { peer, peers: self.clone() })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.peers.max.is_none() {
            return;
        }
        let mut counts = self.peers.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_more_than_it_may_and_leaves_nothing_behind() {
        let peers = Peers::new(Some(2));
        let (one, mapped) = ("192.0.2.1".parse().unwrap(), "::ffff:192.0.2.1".parse().unwrap());
        let (first, second) = (peers.count(one).unwrap(), peers.count(mapped).unwrap());
        assert!(peers.count(one).is_none());
        let other = peers.count("192.0.2.2".parse().unwrap()).unwrap();
        drop(first);
        let third = peers.count(one).unwrap();
        drop((second, third, other));
        assert!(peers.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let peers = Peers::new(None);
        let _one = peers.count("192.0.2.1".parse().unwrap()).unwrap();
        assert!(peers.counts.lock().unwrap().is_empty());
    }
}
