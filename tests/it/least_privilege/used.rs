//! Every right that somebody has, compared with what they did.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::harness::Stage;

/// What users may publish or subscribe to, or did, by user.
type Subjects = BTreeMap<String, BTreeSet<String>>;

/// What provisioning needs when another version changes what is there, which nothing does here.
const OF_AN_UPGRADE: &str = "$JS.API.STREAM.UPDATE.";

/// What nobody did is not needed, or not tested.
pub(super) async fn nobody_has_a_right_without_a_use(stage: &Stage) {
    let accounts = stage.folder().join("nats-conf/accounts.conf");
    let may = rights(&fs::read_to_string(accounts).unwrap());
    let did = done(&stage.broker.lock().await.logs()[0]);
    assert_eq!(may.len(), 12, "{:?}", may.keys());

    let unused = may.iter().flat_map(|(user, rights)| {
        let done = did.get(user).cloned().unwrap_or_default();
        let is_used = move |right: &str| {
            right.starts_with(OF_AN_UPGRADE) || done.iter().any(|subject| covers(right, subject))
        };
        let unused = rights.iter().filter(move |right| !is_used(right));
        unused.map(move |right| format!("{user}: {right}"))
    });
    assert_eq!(unused.collect::<Vec<_>>(), [""; 0]);
}

/// Of the configuration: each user is followed by a list of what it may publish, and one of what
/// it may subscribe to.
fn rights(accounts: &str) -> Subjects {
    let code = accounts.lines().filter(|line| !line.trim_start().starts_with('#'));
    let code = code.collect::<Vec<_>>().join("\n");
    let mut rights = Subjects::new();
    for block in code.split("user: ").skip(1) {
        let (user, block) = block.split_once(',').unwrap();
        let lists = ["publish: [", "subscribe: ["].map(|list| {
            let (_, list) = block.split_once(list).unwrap_or_default();
            list.split_once(']').unwrap_or_default().0
        });
        let quoted = lists.iter().flat_map(|list| list.split('"').skip(1).step_by(2));
        let quoted: BTreeSet<_> = quoted.map(ToOwned::to_owned).collect();
        // The system account has no list.
        if !block.split("exports").next().unwrap().contains("permissions") {
            continue;
        }
        rights.insert(user.to_owned(), quoted);
    }
    rights
}

/// Of the server's trace: `"SERVICES/user:intake" - <<- [PUB subject …]`.
fn done(trace: &str) -> Subjects {
    let mut done = Subjects::new();
    for line in trace.lines() {
        let Some((_, rest)) = line.split_once("/user:") else { continue };
        let Some((user, rest)) = rest.split_once("\" - <<- [") else { continue };
        let mut words = rest.split(' ');
        if let (Some("PUB" | "HPUB" | "SUB"), Some(subject)) = (words.next(), words.next()) {
            done.entry(user.to_owned()).or_default().insert(subject.to_owned());
        }
    }
    done
}

/// Whether a subject is among those that a pattern names.
fn covers(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some(word), Some(found)) if word == "*" || word == found => {}
            _ => return false,
        }
    }
}
