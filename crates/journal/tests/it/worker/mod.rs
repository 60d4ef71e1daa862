//! What the worker loop promises. `conformance` holds for every consumer and is run for one of
//! each kind; `events` is about what only events have: a payload, an envelope, replays.

mod bench;
mod conformance;
mod events;

use bench::{Events, Timers};

macro_rules! for_every_kind_of_consumer {
    ($($promise:ident)*) => {
        mod of_events {
            $(#[tokio::test]
            async fn $promise() {
                super::conformance::$promise::<super::Events>().await;
            })*
        }

        mod of_timers {
            $(#[tokio::test]
            async fn $promise() {
                super::conformance::$promise::<super::Timers>().await;
            })*
        }
    };
}

for_every_kind_of_consumer! {
    a_handled_message_is_gone
    what_is_to_be_tried_again_comes_again_later_each_time
    what_is_to_come_again_comes_not_before_its_time
    a_rejected_message_is_put_aside_and_does_not_come_again
    a_message_whose_handler_always_panics_is_put_aside_after_five_deliveries
    slow_handlers_keep_their_messages
    stopping_finishes_what_is_begun_and_gives_back_the_rest_at_once
    what_a_dead_worker_had_comes_to_another
    work_goes_on_after_the_broker_was_killed
    work_goes_on_after_the_consumer_was_made_anew
    a_worker_started_too_early_waits_unready
}
