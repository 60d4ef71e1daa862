//! Sealed documents and leases.

use std::sync::Arc;

use proofline_events::v1::Outcome;
use proofline_journal::{DocumentKind, Lease, Vault, VaultError};
use proofline_seal::{Keyring, OpenError};

use crate::harness::{Broker, fresh_key, last_on, stored};

pub(crate) const RESULT: DocumentKind = DocumentKind::Result(Outcome::Accepted);
pub(crate) const KEY_ONE: &str = "a1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
pub(crate) const KEY_TWO: &str = "b2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

#[tokio::test]
async fn a_document_comes_out_of_the_vault_as_it_went_in() {
    let broker = Broker::provisioned().await;
    let (vault, key) = (vault(&broker, KEY_ONE).await, fresh_key());

    vault.create_key(&key).await.unwrap();
    assert!(vault.get(&key, RESULT).await.unwrap().is_none());
    vault.put(&key, RESULT, b"first").await.unwrap();
    vault.put(&key, RESULT, b"second").await.unwrap();
    vault.put(&key, DocumentKind::Result(Outcome::Rejected), b"another").await.unwrap();

    assert_eq!(vault.get(&key, RESULT).await.unwrap().unwrap(), b"second");
    let rejected = vault.get(&key, DocumentKind::Result(Outcome::Rejected)).await;
    assert_eq!(rejected.unwrap().unwrap(), b"another");
    assert_eq!(stored(&broker.raw().await, "KV_SEALED").await, 2);
}

#[tokio::test]
async fn making_the_data_key_again_keeps_the_first_one() {
    let broker = Broker::provisioned().await;
    let (vault, key) = (vault(&broker, KEY_ONE).await, fresh_key());

    vault.create_key(&key).await.unwrap();
    vault.put(&key, RESULT, b"sealed with the first").await.unwrap();
    vault.create_key(&key).await.unwrap();

    assert_eq!(vault.get(&key, RESULT).await.unwrap().unwrap(), b"sealed with the first");
    assert_eq!(stored(&broker.raw().await, "KV_DATA_KEYS").await, 1);
}

#[tokio::test]
async fn without_a_data_key_nothing_is_sealed_or_opened() {
    let broker = Broker::provisioned().await;
    let (vault, key) = (vault(&broker, KEY_ONE).await, fresh_key());
    let sealed = vault.put(&key, RESULT, b"too early").await;
    assert!(matches!(sealed, Err(VaultError::KeyGone)), "{sealed:?}");
    vault.create_key(&key).await.unwrap();
    vault.put(&key, RESULT, b"in time").await.unwrap();

    let raw = broker.raw().await;
    let keys = raw.get_stream_no_info("KV_DATA_KEYS").await.unwrap();
    keys.delete_message(1).await.unwrap();

    for gone in [vault.get(&key, RESULT).await.map(drop), vault.put(&key, RESULT, b"late").await] {
        assert!(matches!(gone, Err(VaultError::KeyGone)), "{gone:?}");
    }
}

#[tokio::test]
async fn a_document_of_another_verification_or_kind_is_not_opened() {
    let broker = Broker::provisioned().await;
    let (vault, raw) = (vault(&broker, KEY_ONE).await, broker.raw().await);
    let (ours, theirs) = (fresh_key(), fresh_key());
    for key in [&ours, &theirs] {
        vault.create_key(key).await.unwrap();
    }
    vault.put(&theirs, RESULT, b"their result").await.unwrap();
    let place = |key, kind: &str| format!("$KV.SEALED.{key}.result-{kind}");
    let sealed = last_on(&raw, "KV_SEALED", &place(&theirs, "accepted")).await.payload;

    for copy in [place(&ours, "accepted"), place(&theirs, "rejected")] {
        raw.publish(copy, sealed.clone()).await.unwrap().await.unwrap();
    }

    let moved = vault.get(&ours, RESULT).await;
    assert!(matches!(moved, Err(VaultError::Unreadable(OpenError::Forged))), "{moved:?}");
    let renamed = vault.get(&theirs, DocumentKind::Result(Outcome::Rejected)).await;
    assert!(matches!(renamed, Err(VaultError::Unreadable(OpenError::Forged))), "{renamed:?}");
    assert_eq!(vault.get(&theirs, RESULT).await.unwrap().unwrap(), b"their result");
}

#[tokio::test]
async fn documents_outlive_a_rotation_and_need_their_key() {
    let broker = Broker::provisioned().await;
    let key = fresh_key();
    let before = vault(&broker, KEY_ONE).await;
    before.create_key(&key).await.unwrap();
    before.put(&key, RESULT, b"sealed before").await.unwrap();

    let rotated = vault(&broker, &format!("{KEY_TWO},{KEY_ONE}")).await;
    assert_eq!(rotated.get(&key, RESULT).await.unwrap().unwrap(), b"sealed before");
    let without = vault(&broker, KEY_TWO).await.get(&key, RESULT).await;
    assert!(
        matches!(&without, Err(VaultError::Unreadable(OpenError::UnknownKey(id))) if id == "a1"),
        "{without:?}"
    );
}

#[tokio::test]
async fn a_document_that_nats_would_not_take_is_too_large() {
    let broker = Broker::provisioned().await;
    let (vault, key) = (vault(&broker, KEY_ONE).await, fresh_key());
    vault.create_key(&key).await.unwrap();
    // Noise does not get smaller by compression.
    let mut noise = vec![0; 8 * 1024 * 1024];
    rand::fill(&mut noise[..]);

    let over = vault.put(&key, RESULT, &noise).await;
    let nearly = &noise[..noise.len() - 4096];
    vault.put(&key, RESULT, nearly).await.unwrap();

    assert!(matches!(over, Err(VaultError::TooLarge)), "{over:?}");
    assert_eq!(vault.get(&key, RESULT).await.unwrap().unwrap(), nearly);
}

#[tokio::test]
async fn a_lease_is_held_by_one_until_it_is_released() {
    let broker = Broker::provisioned().await;
    let (one, other, key) = (broker.connect().await, broker.connect().await, fresh_key());

    let mut held = Lease::take(&one, &key).await.unwrap().unwrap();
    assert!(Lease::take(&other, &key).await.unwrap().is_none());
    assert!(Lease::take(&other, &fresh_key()).await.unwrap().is_some());
    assert!(held.renew().await.unwrap());
    assert!(held.renew().await.unwrap());
    assert!(Lease::take(&other, &key).await.unwrap().is_none());
    held.release().await;

    assert!(Lease::take(&other, &key).await.unwrap().is_some());
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_gets_the_lease() {
    let broker = Broker::provisioned().await;
    let (connection, key) = (broker.connect().await, fresh_key());

    let takers = (0..20).map(|_| Lease::take(&connection, &key));
    let taken = futures_util::future::join_all(takers).await;

    assert_eq!(taken.into_iter().filter_map(Result::unwrap).count(), 1);
}

#[tokio::test]
async fn a_lease_that_ran_out_is_neither_renewed_nor_taken_from_its_next_holder() {
    let broker = Broker::provisioned().await;
    let (connection, raw, key) = (broker.connect().await, broker.raw().await, fresh_key());
    let mut late = Lease::take(&connection, &key).await.unwrap().unwrap();
    // What the bucket's age does after 30 s.
    raw.get_stream_no_info("KV_LEASES").await.unwrap().delete_message(1).await.unwrap();
    let mut next = Lease::take(&connection, &key).await.unwrap().unwrap();

    assert!(!late.renew().await.unwrap());
    late.release().await;

    assert!(next.renew().await.unwrap());
}

pub(crate) async fn vault(broker: &Broker, keys: &str) -> Vault {
    Vault::new(&broker.connect().await, Arc::new(Keyring::parse(keys).unwrap()))
}
