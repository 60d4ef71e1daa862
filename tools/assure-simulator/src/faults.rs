//! Account-wide faults as data: which calls, what goes wrong, how often.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use crate::operation;

/// One way of misbehaving. Several may be in force; a call meets the first that fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Name of the operation, with at most one `*`, such as `getProcess`, `create*`, `*`.
    pub operation: String,
    /// Only calls about this dossier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dossier_id: Option<String>,
    /// Only calls about this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_id: Option<String>,
    /// What goes wrong.
    pub kind: Kind,
    /// How often.
    #[serde(default)]
    pub when: When,
    /// Whether the call has its effect all the same, and only its answer suffers.
    #[serde(default)]
    pub carried_out: bool,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Kind {
    /// An error answer.
    Status {
        /// The status, 400 to 599.
        code: u16,
        /// What `Retry-After` says.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
        /// What the body looks like.
        #[serde(default)]
        body: AnswerShape,
    },
    /// The true answer, later. Before the call is carried out not a byte of its body is read.
    Slow {
        /// How much later.
        ms: u64,
    },
    /// The connection is reset without an answer.
    Reset,
    /// The answer ends in the middle of its body. The call is always carried out.
    CutOff,
    /// A success with bytes that are no JSON.
    Garbage,
}

/// The two forms of `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// A date, this many seconds from the answer.
    DateIn(u64),
}

/// The body of an error answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AnswerShape {
    /// Assure's own error body.
    #[default]
    Assure,
    /// The platform's error body.
    Platform,
    /// A web page, as gateways send it.
    Html,
    /// Nothing.
    Empty,
}

/// How often a fault fires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// On every call it covers.
    #[default]
    Always,
    /// On the next so many calls it covers.
    Next(u64),
    /// On this share of the calls it covers, 0 to 1; which ones, the seed decides.
    Probability(f64),
}

impl Kind {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Slow { .. } => "slow",
            Self::Reset => "reset",
            Self::CutOff => "cutOff",
            Self::Garbage => "garbage",
        }
    }
}

impl Fault {
    /// What makes no sense in it, if anything.
    pub(crate) fn nonsense(&self) -> Option<&'static str> {
        if !operation::covers_any(&self.operation) {
            return Some("no operation has such a name");
        }
        if let Kind::Status { code, .. } = self.kind
            && !(400..600).contains(&code)
        {
            return Some("code must be 400 to 599");
        }
        if let When::Probability(p) = self.when
            && !(0.0..=1.0).contains(&p)
        {
            return Some("probability must be 0 to 1");
        }
        None
    }

    fn covers(&self, operation: &str, path: &str) -> bool {
        let names = |id: &Option<String>| {
            id.as_deref().is_none_or(|id| path.split('/').any(|segment| segment == id))
        };
        operation::covers(&self.operation, operation)
            && names(&self.dossier_id)
            && names(&self.process_id)
    }
}

/// A fault in force.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Active {
    id: u64,
    #[serde(flatten)]
    fault: Fault,
    fired: u64,
    /// Of its own, so that other faults and other calls don't change its choices.
    #[serde(skip)]
    chance: StdRng,
}

impl Active {
    fn fires(&mut self, operation: &str, path: &str) -> bool {
        if !self.fault.covers(operation, path) {
            return false;
        }
        let fires = match self.fault.when {
            When::Always => true,
            When::Next(calls) => self.fired < calls,
            When::Probability(p) => self.chance.random_bool(p),
        };
        self.fired += u64::from(fires);
        fires
    }
}

/// The faults in force.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    list: Mutex<(u64, Vec<Active>)>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, list: Mutex::default() }
    }

    /// Puts a fault in force and answers its number, which starts from 1 again after a clear: the
    /// same faults in the same order make the same choices.
    pub(crate) fn add(&self, fault: Fault) -> u64 {
        let mut list = self.list();
        list.0 += 1;
        let id = list.0;
        let chance = StdRng::seed_from_u64(self.seed.wrapping_add(id.wrapping_mul(0x9E37_79B9)));
        list.1.push(Active { id, fault, fired: 0, chance });
        id
    }

    pub(crate) fn clear(&self) {
        *self.list() = (0, Vec::new());
    }

    /// The fault that this call meets.
    pub(crate) fn draw(&self, operation: &str, path: &str) -> Option<Fault> {
        let mut list = self.list();
        list.1.iter_mut().find_map(|f| f.fires(operation, path).then(|| f.fault.clone()))
    }

    /// The faults in force, as JSON.
    pub(crate) fn snapshot(&self) -> serde_json::Value {
        serde_json::to_value(&self.list().1).expect("faults have string keys only")
    }

    fn list(&self) -> MutexGuard<'_, (u64, Vec<Active>)> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: serde_json::Value) -> Fault {
        serde_json::from_value(json).unwrap()
    }

    fn hits(faults: &Faults, calls: usize) -> Vec<bool> {
        (0..calls)
            .map(|_| faults.draw("getProcess", "/assure/dossiers/d/processes/p").is_some())
            .collect()
    }

    #[test]
    fn the_same_seed_hits_the_same_calls() {
        let half = fault(serde_json::json!({
            "operation": "get*", "kind": "reset", "when": {"probability": 0.5}
        }));
        let first = Faults::new(7);
        let second = Faults::new(7);
        let other = Faults::new(8);
        for faults in [&first, &second, &other] {
            faults.add(half.clone());
        }

        let drawn = hits(&first, 64);

        assert_eq!(drawn, hits(&second, 64));
        assert_ne!(drawn, hits(&other, 64));
        assert!(drawn.contains(&true) && drawn.contains(&false));
    }

    #[test]
    fn a_fault_can_be_for_the_next_calls_of_one_process_only() {
        let faults = Faults::new(1);
        faults.add(fault(serde_json::json!({
            "operation": "getProcess", "processId": "p", "kind": "garbage", "when": {"next": 2}
        })));

        assert!(faults.draw("getProcess", "/assure/dossiers/d/processes/q").is_none());
        assert!(faults.draw("startVerification", "/assure/dossiers/d/processes/p").is_none());
        assert_eq!(hits(&faults, 4), [true, true, false, false]);
    }

    #[test]
    fn nonsense_is_named() {
        for (json, named) in [
            (serde_json::json!({"operation": "getProces", "kind": "reset"}), true),
            (serde_json::json!({"operation": "*", "kind": {"status": {"code": 200}}}), true),
            (
                serde_json::json!({"operation": "*", "kind": "reset", "when": {"probability": 2.0}}),
                true,
            ),
            (
                serde_json::json!({"operation": "*", "kind": {"slow": {"ms": 5}}, "when": "always"}),
                false,
            ),
        ] {
            assert_eq!(fault(json.clone()).nonsense().is_some(), named, "{json}");
        }
    }
}
