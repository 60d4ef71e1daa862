//! Timers that are set again, as each round of a check does.

use proofline_events::Service;
use proofline_journal::{Due, TimerKind};

use crate::{
    harness::{Broker, fresh_key, now},
    timers::Heard,
};

#[tokio::test]
async fn a_timer_that_is_set_again_on_purpose_has_the_later_time_and_its_round() {
    let broker = Broker::provisioned().await;
    let journal = broker.journal(Service::Verifier).await;
    let mut timers = Heard::listen(&broker).await;
    let (key, at) = (fresh_key(), now() + time::Duration::SECOND);

    journal.set_timer(TimerKind::Deadline, &key, at + time::Duration::HOUR).await.unwrap();
    let sooner = Due { key: key.clone(), at, round: 1 };
    journal.reset_timer(TimerKind::Deadline, &sooner).await.unwrap();
    let (due, heard_at) = timers.next().await;
    assert_eq!(due, sooner);
    assert!(heard_at >= at);

    let again = Due { key, at: heard_at, round: 2 };
    journal.reset_timer(TimerKind::Deadline, &again).await.unwrap();
    assert_eq!(timers.next().await.0, again);
}
