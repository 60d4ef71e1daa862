//! All there is to do on the bus.

use std::collections::BTreeSet;

use super::NOBODY;

/// Everybody who may do some of it.
pub(super) const USERS: [&str; 12] = [
    "provision",
    "intake",
    "upload",
    "verifier",
    "result-normaliser",
    "operator",
    "keys",
    "backup",
    "restore",
    "callback-receiver",
    "acme-billing",
    "other-crm",
];

pub(super) const STREAMS: [&str; 9] = [
    "VERIFICATIONS",
    "TIMERS",
    "DEAD_LETTERS",
    "KV_SEALED",
    "KV_PARAMETERS",
    "KV_DATA_KEYS",
    "KV_LEASES",
    "KV_PACE",
    "KV_DOSSIERS",
];

const EVENTS: [&str; 14] = [
    "verification-requested",
    "dossier-created",
    "process-created",
    "setup-failed",
    "upload-started",
    "image-uploaded",
    "upload-failed",
    "submission-requested",
    "verification-started",
    "start-refused",
    "cancellation-requested",
    "completion-signalled",
    "process-finished",
    "erasure-requested",
];

const TIMERS: [&str; 4] = ["deadline", "check", "delete-in-assure", "expire-result"];

/// Bucket and what stands for any of its keys.
const KEYS: [(&str, &str); 8] = [
    ("SEALED", "acme.vrf_0.next-action.0"),
    ("SEALED", "acme.vrf_0.result-accepted"),
    ("PARAMETERS", "acme.vrf_0.start-parameters.0"),
    ("DATA_KEYS", "acme.vrf_0"),
    ("LEASES", "acme.vrf_0"),
    ("PACE", "until.0"),
    ("PACE", "round.0"),
    ("DOSSIERS", "acme.0"),
];

pub(super) const CONSUMERS: [(&str, &str); 10] = [
    ("VERIFICATIONS", "verifier-requests"),
    ("VERIFICATIONS", "verifier-submissions"),
    ("TIMERS", "verifier-deadline"),
    ("TIMERS", "verifier-check"),
    ("VERIFICATIONS", "result-normaliser-signals"),
    ("VERIFICATIONS", "result-normaliser-removals"),
    ("TIMERS", "result-normaliser-delete-in-assure"),
    ("TIMERS", "result-normaliser-expire-result"),
    ("VERIFICATIONS", "acme-billing"),
    ("VERIFICATIONS", "other-crm"),
];

pub(super) fn inbox(user: &str) -> String {
    format!("_INBOX_{user}.>")
}

pub(super) fn ack(stream: &str, consumer: &str) -> String {
    format!("$JS.ACK.{stream}.{consumer}.1.1.1.1.0")
}

pub(super) fn dead_letter(consumer: &str) -> String {
    format!("proofline.dead.v1.{consumer}.acme.{NOBODY}")
}

/// What somebody might like to hear.
pub(super) const HEARABLE: [&str; 15] = [
    ">",
    "proofline.>",
    "proofline.v1.*.*.*",
    "proofline.v1.process-finished.>",
    "proofline.v1.process-finished.acme.*",
    "proofline.timer.v1.due.>",
    "proofline.dead.v1.>",
    "_INBOX.>",
    "$JS.>",
    "$JS.ACK.>",
    "$JS.EVENT.ADVISORY.>",
    "$KV.>",
    "$KV.PACE.until.*",
    "$KV.SEALED.>",
    "$SYS.>",
];

/// Every kind of request and message there is, each with a name in it that stands for any.
pub(super) fn everything() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut add = |subject: String| {
        all.insert(subject);
    };
    for event in EVENTS.into_iter().chain(["data-erased", "unheard-of"]) {
        add(format!("proofline.v1.{event}.acme.{NOBODY}"));
    }
    for kind in TIMERS {
        add(format!("proofline.timer.v1.at.{kind}.acme.{NOBODY}"));
        add(format!("proofline.timer.v1.due.{kind}.acme.{NOBODY}"));
    }
    for (bucket, key) in KEYS {
        add(format!("$KV.{bucket}.{key}"));
    }
    for stream in STREAMS {
        for verb in [
            "INFO",
            "CREATE",
            "UPDATE",
            "DELETE",
            "PURGE",
            "MSG.GET",
            "MSG.DELETE",
            "SNAPSHOT",
            "RESTORE",
            "LEADER.STEPDOWN",
            "PEER.REMOVE",
        ] {
            add(format!("$JS.API.STREAM.{verb}.{stream}"));
        }
        add(format!("$JS.SNAPSHOT.ACK.{stream}.0.32768.1"));
        add(format!("$JS.SNAPSHOT.RESTORE.{stream}.0"));
        add(format!("$JS.API.DIRECT.GET.{stream}"));
        add(format!("$JS.API.DIRECT.GET.{stream}.proofline.v1.process-finished.acme.{NOBODY}"));
        for verb in ["CREATE", "NAMES", "LIST"] {
            add(format!("$JS.API.CONSUMER.{verb}.{stream}"));
        }
        add(format!("$JS.API.CONSUMER.CREATE.{stream}.new"));
        for filter in [
            ">",
            "proofline.v1.verification-requested.acme.*",
            "proofline.v1.process-finished.acme.*",
            "proofline.timer.v1.due.check.>",
        ] {
            add(format!("$JS.API.CONSUMER.CREATE.{stream}.new.{filter}"));
        }
        add(format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.new"));
    }
    for (stream, name) in CONSUMERS {
        for verb in ["INFO", "DELETE", "MSG.NEXT", "PAUSE", "UNPIN", "LEADER.STEPDOWN"] {
            add(format!("$JS.API.CONSUMER.{verb}.{stream}.{name}"));
            add(format!("SVC.API.CONSUMER.{verb}.{stream}.{name}"));
        }
        add(ack(stream, name));
        add(dead_letter(name));
        add(format!("proofline.replay.v1.{name}.acme.{NOBODY}"));
    }
    for user in USERS {
        add(format!("_INBOX_{}.forged", user));
    }
    for subject in [
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.CREATE.NEW",
        "$JS.API.STREAM.CREATE.PROOFLINE_PROBE",
        "$JS.API.STREAM.DELETE.PROOFLINE_PROBE",
        "proofline.probe.v1",
        "$JS.API.META.LEADER.STEPDOWN",
        "$JS.API.SERVER.REMOVE",
        "$JS.API.ACCOUNT.PURGE.SERVICES",
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.USER.INFO",
        "proofline.anything",
    ] {
        add(subject.to_owned());
    }
    all
}
