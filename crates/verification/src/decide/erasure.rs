//! Erasure. An unfinished verification is discarded with it; its end is told all the same.

use proofline_events::{Event, v1};

use super::names;
use crate::Verification;

pub(super) fn erase(state: &Verification) -> Vec<Event> {
    if state.is_erasure_requested {
        return Vec::new();
    }
    let (tenant, verification_id) = names(&state.key);
    vec![v1::ErasureRequested { tenant, verification_id }.into()]
}

pub(super) fn record(state: &Verification) -> Vec<Event> {
    if state.is_erased {
        return Vec::new();
    }
    let (tenant, verification_id) = names(&state.key);
    vec![v1::DataErased { tenant, verification_id }.into()]
}
