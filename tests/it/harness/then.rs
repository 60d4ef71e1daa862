//! What a test finds.

use std::ops::Deref;

use serde_json::Value;

use super::{Ask, End, Stage, Verification, ends_in, eventually};

/// What is so afterwards.
#[derive(Clone, Copy)]
pub(crate) struct Then<'a>(pub(super) &'a Stage);

impl Then<'_> {
    /// The verification as it is now.
    pub(crate) async fn shows(&self, verification: &Verification) -> Value {
        self.caller.look_at(&verification.id).ask().await.is(200)
    }

    /// Waits until the verification has a status.
    pub(crate) async fn reaches(&self, verification: &Verification, status: &str) -> Value {
        eventually(&format!("the status is {status}"), async || {
            let seen = self.shows(verification).await;
            if seen["status"] == status { Ok(seen) } else { Err(seen.to_string()) }
        })
        .await
    }

    /// Waits until the verification is finished.
    pub(crate) async fn finishes(&self, verification: &Verification) -> Value {
        let request = self.caller.look_at(&verification.id).header("prefer", "wait=15");
        let seen = request.ask().await.is(200);
        assert_eq!(seen["status"], "finished", "{seen}");
        seen
    }

    /// Waits until it is finished, and it must be so, for this reason; empty for none.
    pub(crate) async fn ends_as(&self, v: &Verification, outcome: &str, reason: &str) -> Value {
        let seen = self.finishes(v).await;
        assert_eq!(seen["outcome"], outcome, "{seen}");
        assert_eq!(seen["reason"]["code"].as_str().unwrap_or_default(), reason, "{seen}");
        seen
    }

    /// Everything that happened to it, oldest first.
    pub(crate) async fn timeline(&self, verification: &Verification) -> Vec<Value> {
        let path = format!("/v1/verifications/{}/events", verification.id);
        let answer = self.caller.get(&path).ask().await.is(200);
        answer["events"].as_array().unwrap().clone()
    }

    /// What these events say of it, oldest first.
    pub(crate) async fn told(&self, verification: &Verification, event: &str) -> Vec<Value> {
        let wanted = format!("proofline.v1.{event}");
        let events = self.timeline(verification).await;
        let told = events.into_iter().filter(|e| e["type"] == wanted.as_str());
        told.map(|mut e| e["data"].take()).collect()
    }

    /// Waits until this event has been told of it so often.
    pub(crate) async fn is_told(&self, v: &Verification, event: &str, times: usize) -> Vec<Value> {
        eventually(&format!("{event} is told {times} times"), async || {
            let told = self.told(v, event).await;
            if told.len() == times { Ok(told) } else { Err(format!("{told:?}")) }
        })
        .await
    }

    /// Its result.
    pub(crate) async fn result(&self, verification: &Verification) -> Value {
        let path = format!("/v1/verifications/{}/result", verification.id);
        self.caller.get(&path).ask().await.is(200)
    }

    /// Every end of any verification that a subscriber finds now.
    pub(crate) async fn ends(&self) -> Vec<End> {
        ends_in(&self.nats).await
    }

    /// Waits for the only end there is, of a verification whose id the test may not know.
    pub(crate) async fn the_only_end(&self) -> End {
        eventually("there is one end", async || {
            let mut ends = self.ends().await;
            if ends.len() == 1 { Ok(ends.remove(0)) } else { Err(format!("{ends:?}")) }
        })
        .await
    }
}

impl Deref for Then<'_> {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        self.0
    }
}
