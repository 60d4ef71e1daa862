//! A subscriber in a NATS account of its own.

use std::sync::{Arc, Mutex};

use proofline_subscriber::{CancellationToken, Delivery, Failure, Subscription};
use tokio::task::JoinSet;

use super::refusals::User;
use crate::harness::{Stage, Verification, eventually};

pub(super) struct Subscriber {
    user: User,
    heard: Arc<Mutex<Vec<Delivery>>>,
    stop: CancellationToken,
    running: JoinSet<Result<(), proofline_subscriber::Error>>,
}

impl Subscriber {
    /// Begins to consume the durable of the user's name; what has this tag is rejected.
    pub(super) async fn begin(stage: &Stage, name: &'static str, unwanted: &'static str) -> Self {
        let user = User::of(stage, name).await;
        let subscription = Subscription::open(user.client.clone(), name).unwrap();
        let subscription = subscription.js_prefix("SVC.API");
        let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
        let heard = Arc::<Mutex<Vec<Delivery>>>::default();
        let (noted, token) = (Arc::clone(&heard), stop.clone());
        running.spawn(async move {
            let note = move |delivery: Delivery| {
                let is_unwanted = delivery.event.tags.iter().any(|tag| tag == unwanted);
                noted.lock().unwrap().push(delivery);
                async move {
                    match is_unwanted {
                        true => Err(Failure::reject("unwanted", "nobody ordered this")),
                        false => Ok(()),
                    }
                }
            };
            subscription.run(token, note).await
        });
        Self { user, heard, stop, running }
    }

    /// Waits for the end of a verification.
    pub(super) async fn hears(&self, v: &Verification) {
        eventually(&format!("{} hears of {}", self.user.name, v.id), async || {
            if self.has_heard(v) { Ok(()) } else { Err("nothing".to_owned()) }
        })
        .await;
    }

    pub(super) async fn hears_a_replay_of(&self, v: &Verification) {
        eventually(&format!("{} hears of {} again", self.user.name, v.id), async || {
            if self.of(v).iter().any(|d| d.is_replay) { Ok(()) } else { Err("nothing".to_owned()) }
        })
        .await;
    }

    pub(super) fn has_heard(&self, v: &Verification) -> bool {
        !self.of(v).is_empty()
    }

    /// Stops; nothing must have been refused to it.
    pub(super) async fn stops(&mut self) {
        self.stop.cancel();
        self.running.join_next().await.unwrap().unwrap().unwrap();
        assert_eq!(self.user.refused(), [""; 0]);
    }

    fn of(&self, v: &Verification) -> Vec<Delivery> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|d| d.event.verification_id == v.id).cloned().collect()
    }
}
