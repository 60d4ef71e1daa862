//! Keys wrapped anew, backups, and a restore over what is there.

use std::path::PathBuf;

use super::work::operate;
use crate::harness::{KEYS, SERVICES, Stage, type_with};

/// What a job copies, and what the one who restores does.
pub(super) async fn copies_are_made(stage: &Stage) -> PathBuf {
    let (without, with) = (stage.folder().join("copy"), stage.folder().join("copy-with-keys"));
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let (code, said) = operate(stage, "backup", &["backup", "--to", &text(&without)]).await;
    assert_eq!(code, Some(0), "{said}");
    let arguments = ["backup", "--with-keys", "--to", &text(&with)];
    let (code, said) = operate(stage, "restore", &arguments).await;
    assert_eq!(code, Some(0), "{said}");
    with
}

/// Puts it back over what has happened since, an erasure among it.
pub(super) async fn a_copy_is_restored(stage: &Stage, copy: PathBuf) {
    let (from, ledger) = (copy.to_str().unwrap(), copy.join("erasures.jsonl"));
    let ledger = ledger.to_str().unwrap();
    // Services run, and nobody asks them for anything meanwhile.
    let over = ["restore", "--overwrite", "--accept-loss"];
    let arguments = [&over[..], &["--from", from, "--erasures", ledger]].concat();
    let (code, said) = operate(stage, "restore", &arguments).await;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = operate(stage, "provision", &["provision"]).await;
    assert_eq!(code, Some(0), "{said}");
    for service in SERVICES {
        stage.becomes_ready(service).await;
    }
}

pub(super) async fn keys_are_wrapped_anew(stage: &Stage) {
    let new = type_with(&[], &["keys", "new", "--id", "k2"]).await.worked();
    let mut settings = vec![
        ("PROOFLINE_NATS_URL", stage.broker.lock().await.url()),
        ("PROOFLINE_KEYS", format!("{},{KEYS}", new.trim())),
    ];
    settings.extend(stage.guard.as_ref().unwrap().settings_of("keys"));
    let said = type_with(&settings, &["keys", "rewrap"]).await.worked();
    assert!(said.contains("were wrapped anew under k2"), "{said}");
}
