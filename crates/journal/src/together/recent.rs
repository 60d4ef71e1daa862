//! Which message ids went out of late: one that is repeated refuses the whole batch that it is in.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher, RandomState},
};

use async_nats::header;

use crate::bus::Outgoing;

/// About as many as go out in a second under load. What is repeated later costs a batch.
const KEPT: usize = 4096;

/// The last ones, as hashes: to take one for another costs nothing but a message that goes alone.
#[derive(Debug, Default)]
pub(super) struct Recent {
    hasher: RandomState,
    hashes: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Recent {
    /// Whether this message id went out of late; it has then.
    pub(super) fn is_repeat(&mut self, message: &Outgoing) -> bool {
        let Some(id) = message.headers.get(header::NATS_MESSAGE_ID) else { return false };
        let hash = self.hasher.hash_one(id.as_str());
        if !self.hashes.insert(hash) {
            return true;
        }
        self.order.push_back(hash);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        false
    }

    /// Something was not stored, or nobody knows: all that went out is as good as new. A repeat that
    /// gets into a batch by this costs that batch.
    pub(super) fn forget(&mut self) {
        self.hashes.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;

    use super::*;

    fn message(id: usize) -> Outgoing {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id.to_string());
        Outgoing { subject: String::new(), headers, payload: Default::default() }
    }

    #[test]
    fn an_id_is_a_repeat_until_many_others_have_gone_out() {
        let mut recent = Recent::default();
        assert!(!recent.is_repeat(&message(0)));
        assert!(recent.is_repeat(&message(0)));
        assert!((1..=KEPT).all(|id| !recent.is_repeat(&message(id))));
        assert!(!recent.is_repeat(&message(0)));
        assert!(recent.is_repeat(&message(KEPT)));
    }
}
