//! Erasure: what it removes, and that nothing of it is left on disk.

use std::{fs, path::Path};

use futures_util::future::join_all;
use proofline_events::v1::Outcome;
use proofline_journal::{DocumentKind, VaultError};

use crate::{
    buckets::{KEY_ONE, RESULT, vault},
    harness::{Broker, equal, eventually, fresh_key, last_on, stored},
};

#[tokio::test]
async fn an_erased_verification_has_neither_key_nor_documents_and_gets_none() {
    let broker = Broker::provisioned().await;
    let (vault, raw) = (vault(&broker, KEY_ONE).await, broker.raw().await);
    let (erased, kept) = (fresh_key(), fresh_key());
    for key in [&erased, &kept] {
        vault.create_key(key).await.unwrap();
        vault.put(key, RESULT, b"the result").await.unwrap();
        vault.put(key, DocumentKind::Result(Outcome::Rejected), b"another").await.unwrap();
    }

    vault.erase(&erased).await.unwrap();
    vault.erase(&erased).await.unwrap();

    assert!(vault.get(&erased, RESULT).await.unwrap().is_none());
    let late = vault.put(&erased, RESULT, b"late").await;
    assert!(matches!(late, Err(VaultError::KeyGone)), "{late:?}");
    assert_eq!(vault.get(&kept, RESULT).await.unwrap().unwrap(), b"the result");
    assert_eq!(stored(&raw, "KV_DATA_KEYS").await, 1);
    assert_eq!(stored(&raw, "KV_SEALED").await, 2);
}

#[tokio::test]
async fn whoever_erases_what_others_are_erasing_too_has_erased_it() {
    let broker = Broker::provisioned().await;
    let (vault, raw, key) = (vault(&broker, KEY_ONE).await, broker.raw().await, fresh_key());
    for _ in 0..10 {
        vault.create_key(&key).await.unwrap();
        for name in ["a", "b", "c", "d", "e"] {
            vault.put(&key, DocumentKind::NextAction(name), b"planted").await.unwrap();
        }

        for erased in join_all((0..8).map(|_| vault.erase(&key))).await {
            erased.unwrap();
        }

        assert_eq!(stored(&raw, "KV_DATA_KEYS").await + stored(&raw, "KV_SEALED").await, 0);
    }
}

/// On a server whose streams forbid deletes, or that only forgets where the bytes are, this fails.
#[tokio::test]
async fn an_erased_data_key_is_no_longer_on_disk() {
    let broker = Broker::provisioned().await;
    let (vault, raw, key) = (vault(&broker, KEY_ONE).await, broker.raw().await, fresh_key());
    vault.create_key(&key).await.unwrap();
    let wrapped = last_on(&raw, "KV_DATA_KEYS", &format!("$KV.DATA_KEYS.{key}")).await.payload;
    let is_on_disk = || contains(broker.dir.path(), &wrapped);
    eventually("written", async || equal(is_on_disk(), true)).await;

    vault.erase(&key).await.unwrap();

    eventually("overwritten", async || equal(is_on_disk(), false)).await;
}

fn contains(dir: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return contains(&path, bytes);
        }
        // The server may have removed it just now.
        let content = fs::read(&path).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}
