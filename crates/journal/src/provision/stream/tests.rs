use async_nats::jetstream::stream::StorageType;

use super::*;
use crate::topology;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const EMPTY: Held = Held { messages: 0, oldest: Duration::ZERO };

fn log() -> Config {
    log_kept_for(90)
}

fn log_kept_for(days: u32) -> Config {
    topology::streams(3, days * DAY).remove(0)
}

fn held_for(days: u32) -> Held {
    Held { messages: 1000, oldest: days * DAY }
}

fn losses(is: &Config, wanted: &Config, held: Held) -> Vec<String> {
    let differences = differences(is, wanted, held);
    differences.iter().filter_map(|one| one.loss().map(str::to_owned)).collect()
}

#[test]
fn what_is_as_it_should_be_is_left_alone() {
    // As the server tells of no limits.
    let is = Config { max_message_size: -1, ..log() };

    assert_eq!(differences(&is, &log(), held_for(89)), []);
}

#[test]
fn a_shorter_age_loses_what_is_older_and_nothing_else() {
    let shorter = log_kept_for(70);

    assert_eq!(losses(&log(), &shorter, EMPTY), [""; 0]);
    assert_eq!(losses(&log(), &shorter, held_for(70)), [""; 0]);
    assert_eq!(losses(&log(), &shorter, held_for(71)), ["messages up to 71d old would go at once"]);
    assert_eq!(losses(&shorter, &log(), held_for(71)), [""; 0]);
}

#[test]
fn a_limit_where_there_was_none_loses() {
    let unlimited = Config { max_age: Duration::ZERO, max_messages_per_subject: -1, ..log() };

    assert_eq!(losses(&unlimited, &log(), held_for(91)).len(), 2);
    assert_eq!(losses(&log(), &unlimited, held_for(91)), [""; 0]);
}

#[test]
fn fewer_replicas_lose_copies() {
    let alone = Config { num_replicas: 1, ..log() };

    assert_eq!(losses(&log(), &alone, EMPTY), ["it would be on fewer disks"]);
    assert_eq!(losses(&alone, &log(), EMPTY), [""; 0]);
}

#[test]
fn subjects_may_grow_and_not_shrink() {
    let narrow = Config { subjects: vec!["proofline.v1.*.acme.*".to_owned()], ..log() };

    assert_eq!(losses(&narrow, &log(), EMPTY), [""; 0]);
    let lost = losses(&log(), &narrow, EMPTY).join("");
    assert!(lost.contains("proofline.v1.*.*.* proofline.replay.v1.*.*.*"), "{lost}");
}

#[test]
fn what_an_operator_has_set_besides_stays() {
    let operators = Config { max_bytes: 1 << 30, duplicate_window: DAY, ..log() };
    let shorter = log_kept_for(70);

    let set = over(operators, shorter);

    assert_eq!((set.max_bytes, set.duplicate_window), (1 << 30, DAY));
    assert_eq!(set.max_age, 70 * DAY);
}

#[test]
fn another_storage_is_impossible_and_no_loss() {
    let in_memory = Config { storage: StorageType::Memory, ..log() };
    let change = Change::update("stream x".to_owned(), differences(&in_memory, &log(), EMPTY));

    assert_eq!(change.impossibilities().count(), 1);
    assert_eq!(change.losses().count(), 0);
}
