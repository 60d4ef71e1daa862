//! What becomes a dead letter, and what does not.

use std::time::Duration;

use async_nats::jetstream::stream;
use proofline_events::{EventType, dead_letter_header as name};
use proofline_subscriber::Failure;

use crate::bench::{Bench, DURABLE, fresh_key, headers, payload};

#[tokio::test]
async fn a_rejected_event_is_put_aside_with_its_reason_and_holds_up_nobody() {
    let bench = Bench::new().await;
    let bad = bench.ends().await;
    let known = bad.clone();
    let _running = bench.run(bench.subscription(), move |delivery| {
        let is_bad = delivery.event.verification_id == known;
        async move {
            let rejected = Failure::reject("no-such-order", "never heard of it\r\nat all");
            if is_bad { Err(rejected) } else { Ok(()) }
        }
    });
    let good = bench.ends().await;

    bench.sees(&good, 1).await;

    let letter = bench.the_only_dead_letter().await;
    bench.settles().await;
    assert_eq!(bench.seen(&bad).len(), 1);
    assert_eq!(letter.subject.as_str(), format!("proofline.dead.v1.{DURABLE}.acme.{bad}"));
    let header = |name: &str| letter.headers.get(name).unwrap().as_str();
    assert_eq!(header(name::REASON), "no-such-order");
    assert_eq!(header(name::DETAIL), "never heard of it  at all");
    assert_eq!(header(name::ATTEMPTS), "1");
    assert_eq!(header(name::CONSUMER), DURABLE);
    assert_eq!(header(name::SUBJECT), format!("proofline.v1.process-finished.acme.{bad}"));
    assert_eq!(header("ce-id"), format!("{bad}.process-finished"));
}

#[tokio::test]
async fn a_handler_that_always_fails_or_panics_gives_up_after_so_many_attempts() {
    let bench = Bench::new().await;
    let bad = bench.ends().await;
    let _running = bench.run(bench.subscription().give_up_after(3), |delivery| {
        assert_ne!(delivery.attempt, 1, "a bug before the handler's future is made");
        async move {
            assert_ne!(delivery.attempt, 2, "a bug in the handler's future");
            Err("the ledger is away".into())
        }
    });

    let letter = bench.the_only_dead_letter().await;

    bench.settles().await;
    assert_eq!(bench.seen(&bad).len(), 3);
    assert_eq!(letter.headers.get(name::REASON).unwrap().as_str(), "attempts-exhausted");
    assert_eq!(letter.headers.get(name::ATTEMPTS).unwrap().as_str(), "3");
    let first = letter.headers.get(name::FIRST_ERROR).unwrap().as_str();
    assert_eq!(first, "a panic of the handler");
}

#[tokio::test]
async fn deliveries_to_those_who_died_do_not_count_against_an_event() {
    let bench = Bench::with_short_ack_wait().await;
    let id = bench.ends().await;
    for times in 1..=2 {
        let dying = bench.run(bench.subscription(), |_| std::future::pending());
        bench.sees(&id, times).await;
        dying.task.abort();
    }

    let _running = bench
        .run(bench.subscription().give_up_after(2), |_| async { Err("the ledger is away".into()) });

    let letter = bench.the_only_dead_letter().await;
    bench.settles().await;
    assert_eq!(bench.seen(&id).len(), 4);
    assert_eq!(letter.headers.get(name::ATTEMPTS).unwrap().as_str(), "4");
    let detail = letter.headers.get(name::DETAIL).unwrap().as_str();
    assert!(detail.starts_with("not handled in 2 attempts"), "{detail}");
}

#[tokio::test]
async fn a_message_that_is_not_what_its_subject_says_never_reaches_the_handler() {
    let (key, other) = (fresh_key(), fresh_key());
    let with = |name: &str, value: &str| {
        let mut headers = headers(&key);
        headers.iter_mut().find(|(n, _)| *n == name).unwrap().1 = value.to_owned();
        headers
    };
    let cases = [
        ("no protobuf", headers(&key), b"\xff\xff".to_vec()),
        ("another verification's payload", headers(&key), payload(&other)),
        ("another type", with("ce-type", "proofline.v1.start-refused"), payload(&key)),
        ("another subject", with("ce-subject", other.id.as_str()), payload(&key)),
        ("no headers", Vec::new(), payload(&key)),
    ];
    for (case, headers, payload) in cases {
        let bench = Bench::new().await;
        let _running = bench.run(bench.subscription(), |_| async { Ok(()) });

        let subject = EventType::ProcessFinished.subject(&key);
        bench.publish(&subject, &headers, payload.clone()).await;

        let letter = bench.the_only_dead_letter().await;
        bench.settles().await;
        assert_eq!(letter.headers.get(name::REASON).unwrap().as_str(), "unreadable", "{case}");
        assert_eq!(letter.payload, payload, "{case}");
        assert!(bench.seen(key.id.as_str()).is_empty(), "{case}");
    }
}

#[tokio::test]
async fn what_cannot_be_put_aside_comes_again_until_it_can() {
    let bench = Bench::new().await;
    let jetstream = bench.jetstream();
    let config = jetstream.get_stream("DEAD_LETTERS").await.unwrap().cached_info().config.clone();
    jetstream.delete_stream("DEAD_LETTERS").await.unwrap();
    let _running =
        bench.run(bench.subscription(), |_| async { Err(Failure::reject("bad", "never")) });
    let id = bench.ends().await;
    bench.sees(&id, 2).await;

    jetstream.create_stream(stream::Config { max_age: Duration::ZERO, ..config }).await.unwrap();

    let letter = bench.the_only_dead_letter().await;
    bench.settles().await;
    let attempts: usize = letter.headers.get(name::ATTEMPTS).unwrap().as_str().parse().unwrap();
    assert_eq!(attempts, bench.seen(&id).len());
}
