//! Data keys wrapped anew, whatever a walk before it or an erasure beside it left.

use std::sync::Arc;

use proofline_events::{Service, VerificationKey};
use proofline_journal::{Connection, Rewrap, Wrapping};
use proofline_seal::Keyring;
use proofline_verification::Command;

use crate::{
    buckets::{KEY_ONE, KEY_TWO, RESULT, vault},
    harness::{Broker, connect, eventually, fresh_key, last_on, now, request, stored},
    proxy::Proxy,
};

/// Which wraps under the second key.
fn rewrap(connection: &Connection) -> Rewrap {
    let keyring = Keyring::parse(&format!("{KEY_TWO},{KEY_ONE}")).unwrap();
    Rewrap::new(connection, Arc::new(keyring), false)
}

/// Whose result is sealed, its data key wrapped under the first key.
async fn sealed(broker: &Broker) -> VerificationKey {
    let (vault, key) = (vault(broker, KEY_ONE).await, fresh_key());
    vault.create_key(&key).await.unwrap();
    vault.put(&key, RESULT, b"sealed before").await.unwrap();
    key
}

/// There is somebody with a data key, whose erasure was asked for.
async fn to_be_erased(broker: &Broker) {
    let key = fresh_key();
    vault(broker, KEY_ONE).await.create_key(&key).await.unwrap();
    let journal = broker.journal(Service::Intake).await;
    for command in [request(), Command::Erase] {
        journal.execute(&key, command, now()).await.unwrap();
    }
}

/// There is one wrapping, with which the second key alone opens what was sealed.
async fn assert_wrapped_anew(broker: &Broker, key: &VerificationKey) {
    assert_eq!(stored(&broker.raw().await, "KV_DATA_KEYS").await, 1);
    let after = vault(broker, KEY_TWO).await.get(key, RESULT).await;
    assert_eq!(after.unwrap().unwrap(), b"sealed before");
}

async fn walk(broker: &Broker) -> Vec<Wrapping> {
    let mut walk = rewrap(&broker.connect().await);
    let mut met = Vec::new();
    while let Some(wrapping) = walk.step().await.unwrap() {
        met.push(wrapping);
    }
    met
}

#[tokio::test]
async fn the_old_wrapping_is_gone_and_what_was_sealed_can_be_read_with_the_new_key_alone() {
    let broker = Broker::provisioned().await;
    let key = sealed(&broker).await;

    let met = walk(&broker).await;

    assert_eq!(met, [Wrapping::Renewed { from: "a1".to_owned() }, Wrapping::Current]);
    assert_eq!(walk(&broker).await, [Wrapping::Current]);
    assert_wrapped_anew(&broker, &key).await;
}

#[tokio::test]
async fn a_walk_that_broke_off_before_it_removed_the_old_wrapping_is_completed_by_the_next() {
    let broker = Broker::provisioned().await;
    let (key, raw) = (sealed(&broker).await, broker.raw().await);
    let subject = format!("$KV.DATA_KEYS.{key}");
    let old = last_on(&raw, "KV_DATA_KEYS", &subject).await.payload;
    walk(&broker).await;
    let new = last_on(&raw, "KV_DATA_KEYS", &subject).await;
    // As it was in between: the old one before the new one.
    raw.get_stream("KV_DATA_KEYS").await.unwrap().delete_message(new.sequence).await.unwrap();
    for wrapping in [old, new.payload] {
        raw.publish(subject.clone(), wrapping).await.unwrap().await.unwrap();
    }

    assert_eq!(walk(&broker).await, [Wrapping::Replaced, Wrapping::Current]);

    assert_wrapped_anew(&broker, &key).await;
}

#[tokio::test]
async fn a_data_key_whose_erasure_was_asked_for_is_not_brought_back() {
    let broker = Broker::provisioned().await;
    to_be_erased(&broker).await;
    let raw = broker.raw().await;

    assert_eq!(walk(&broker).await, [Wrapping::Replaced]);

    assert_eq!(stored(&raw, "KV_DATA_KEYS").await, 0);
}

#[tokio::test]
async fn nor_is_it_if_nobody_heard_that_its_new_wrapping_was_stored() {
    let broker = Broker::provisioned().await;
    to_be_erased(&broker).await;
    let raw = broker.raw().await;
    let proxy = Proxy::to(broker.server.port()).await;
    let mut walk = rewrap(&connect(&[proxy.url()]).await);

    proxy.lose_answers_from("PUB $KV.DATA_KEYS.");
    walk.step().await.unwrap_err();
    assert_eq!(stored(&raw, "KV_DATA_KEYS").await, 2);
    proxy.mend();
    let met = eventually("answered", async || walk.step().await.map_err(|e| e.to_string()));

    assert_eq!(met.await, Some(Wrapping::Replaced));
    assert_eq!(stored(&raw, "KV_DATA_KEYS").await, 0);
}
