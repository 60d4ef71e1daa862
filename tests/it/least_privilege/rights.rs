//! Who may do what: the table of `deploy/nats/production/README.md`.

use std::collections::BTreeSet;

use super::{
    NOBODY,
    universe::{CONSUMERS, HEARABLE, STREAMS, ack, dead_letter, everything, inbox},
};

/// A row of the table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rights {
    pub(super) user: &'static str,
    /// Events it may append.
    events: &'static [&'static str],
    /// Timers it may set.
    timers: &'static [&'static str],
    /// Streams it may read, by Direct Get and at the leader.
    reads: &'static [&'static str],
    /// Streams it may read one message of, at the leader.
    looks: &'static [&'static str],
    /// Streams it may delete messages of.
    deletes: &'static [&'static str],
    /// Buckets it may write, with the first word of the key, if that matters.
    writes: &'static [&'static str],
    /// Consumers are its own whose names begin so.
    consumes: &'static str,
    /// Streams it may make, look at and change.
    makes: &'static [&'static str],
    /// Streams it may have snapshots of.
    copies: &'static [&'static str],
    /// Streams it may restore, and look at and delete for that.
    restores: &'static [&'static str],
    /// Anything else: a subject, or how it begins when that ends with a dot.
    others: &'static [&'static str],
    /// What it may hear besides its inbox.
    hears: &'static [&'static str],
}

pub(super) const TABLE: [Rights; 12] = [
    Rights {
        user: "provision",
        makes: &STREAMS,
        others: &[
            "$JS.API.CONSUMER.INFO.VERIFICATIONS.",
            "$JS.API.CONSUMER.INFO.TIMERS.",
            "$JS.API.CONSUMER.CREATE.VERIFICATIONS.new",
            "$JS.API.CONSUMER.CREATE.TIMERS.new",
            "$JS.API.CONSUMER.LIST.VERIFICATIONS",
            "$JS.API.CONSUMER.DELETE.VERIFICATIONS.",
            "$JS.API.STREAM.CREATE.PROOFLINE_PROBE",
            "$JS.API.STREAM.DELETE.PROOFLINE_PROBE",
            "proofline.probe.v1",
        ],
        ..NONE
    },
    Rights {
        user: "intake",
        events: &[
            "verification-requested",
            "dossier-created",
            "process-created",
            "setup-failed",
            "submission-requested",
            "cancellation-requested",
            "erasure-requested",
        ],
        reads: &["VERIFICATIONS"],
        looks: &["KV_DATA_KEYS", "KV_SEALED", "KV_DOSSIERS", "KV_PACE"],
        deletes: &["KV_LEASES"],
        writes: &[
            "DATA_KEYS.",
            "SEALED.acme.vrf_0.next-action.",
            "PARAMETERS.",
            "LEASES.",
            "DOSSIERS.",
            "PACE.until.",
        ],
        hears: &["proofline.v1.*.*.*", "proofline.v1.process-finished.acme.*", "$KV.PACE.until.*"],
        ..NONE
    },
    Rights {
        user: "upload",
        events: &["upload-started", "image-uploaded", "upload-failed", "submission-requested"],
        reads: &["VERIFICATIONS"],
        looks: &["KV_PACE"],
        writes: &["PACE.until."],
        hears: &["$KV.PACE.until.*"],
        ..NONE
    },
    Rights {
        user: "verifier",
        events: &["verification-started", "start-refused", "completion-signalled"],
        timers: &["deadline", "check"],
        reads: &["VERIFICATIONS"],
        looks: &["KV_DATA_KEYS", "KV_PARAMETERS", "KV_PACE"],
        deletes: &["KV_PARAMETERS"],
        writes: &["PACE."],
        consumes: "verifier-",
        others: &[
            "$JS.API.DIRECT.GET.TIMERS",
            "$JS.API.STREAM.INFO.VERIFICATIONS",
            "$JS.API.STREAM.INFO.TIMERS",
            "$JS.API.STREAM.INFO.DEAD_LETTERS",
            "$JS.API.STREAM.INFO.KV_SEALED",
            "$JS.API.STREAM.INFO.KV_PARAMETERS",
            "$JS.API.STREAM.INFO.KV_DATA_KEYS",
            "$JS.API.STREAM.INFO.KV_LEASES",
            "$JS.API.STREAM.INFO.KV_PACE",
            "$JS.API.STREAM.INFO.KV_DOSSIERS",
        ],
        hears: &["$KV.PACE.until.*"],
        ..NONE
    },
    Rights {
        user: "result-normaliser",
        events: &["process-finished", "data-erased"],
        timers: &["check", "delete-in-assure", "expire-result"],
        reads: &["VERIFICATIONS"],
        looks: &["KV_DATA_KEYS", "KV_SEALED", "KV_PARAMETERS", "KV_DOSSIERS", "KV_PACE"],
        deletes: &["TIMERS", "KV_DATA_KEYS", "KV_SEALED", "KV_PARAMETERS"],
        writes: &["SEALED.acme.vrf_0.result-", "DOSSIERS.", "PACE.until."],
        consumes: "result-normaliser-",
        others: &["$JS.API.DIRECT.GET.TIMERS"],
        hears: &["$KV.PACE.until.*"],
        ..NONE
    },
    Rights {
        user: "operator",
        looks: &["VERIFICATIONS", "DEAD_LETTERS"],
        deletes: &["DEAD_LETTERS"],
        others: &[
            "proofline.replay.v1.",
            "proofline.timer.v1.due.",
            "$JS.API.CONSUMER.INFO.TIMERS.",
            "$JS.API.CONSUMER.LIST.VERIFICATIONS",
            "$JS.API.CONSUMER.INFO.VERIFICATIONS.",
            "$JS.API.CONSUMER.MSG.NEXT.VERIFICATIONS.",
            "$JS.API.CONSUMER.CREATE.VERIFICATIONS.new.proofline.v1.process-finished.",
            "$JS.API.STREAM.INFO.DEAD_LETTERS",
        ],
        ..NONE
    },
    Rights {
        user: "keys",
        looks: &["VERIFICATIONS", "KV_DATA_KEYS"],
        deletes: &["KV_DATA_KEYS"],
        writes: &["DATA_KEYS."],
        ..NONE
    },
    Rights {
        user: "backup",
        looks: &["VERIFICATIONS"],
        copies: &COPIED,
        others: &["$JS.SNAPSHOT.ACK."],
        ..NONE
    },
    Rights {
        user: "restore",
        events: &["erasure-requested"],
        reads: &["VERIFICATIONS"],
        looks: &["KV_DATA_KEYS"],
        deletes: &["KV_DATA_KEYS"],
        copies: &RESTORED,
        restores: &RESTORED,
        others: &[
            "$JS.SNAPSHOT.ACK.",
            "$JS.SNAPSHOT.RESTORE.",
            "$JS.API.CONSUMER.LIST.VERIFICATIONS",
            "$JS.API.CONSUMER.DELETE.VERIFICATIONS.",
        ],
        ..NONE
    },
    Rights { user: "callback-receiver", events: &["completion-signalled"], ..NONE },
    Rights { user: "acme-billing", others: &ACME, ..NONE },
    Rights { user: "other-crm", others: &OTHER, ..NONE },
];

const NONE: Rights = Rights {
    user: "",
    events: &[],
    timers: &[],
    reads: &[],
    looks: &[],
    deletes: &[],
    writes: &[],
    consumes: "-",
    makes: &[],
    copies: &[],
    restores: &[],
    others: &[],
    hears: &[],
};

/// What a backup has.
const COPIED: [&str; 3] = ["VERIFICATIONS", "DEAD_LETTERS", "KV_DOSSIERS"];
/// What it has with keys.
const RESTORED: [&str; 6] =
    ["VERIFICATIONS", "DEAD_LETTERS", "KV_DOSSIERS", "KV_SEALED", "KV_PARAMETERS", "KV_DATA_KEYS"];

/// A subscriber pulls under another name than JetStream's own.
const ACME: [&str; 3] = [
    "SVC.API.CONSUMER.MSG.NEXT.VERIFICATIONS.acme-billing",
    "$JS.ACK.VERIFICATIONS.acme-billing.",
    "proofline.dead.v1.acme-billing.",
];
const OTHER: [&str; 3] = [
    "SVC.API.CONSUMER.MSG.NEXT.VERIFICATIONS.other-crm",
    "$JS.ACK.VERIFICATIONS.other-crm.",
    "proofline.dead.v1.other-crm.",
];

impl Rights {
    /// What there is to publish and this user may not.
    pub(super) fn forbidden_publishes(&self) -> Vec<String> {
        let mut all = everything();
        all.retain(|subject| !self.may_publish(subject));
        all.into_iter().collect()
    }

    /// What there is to subscribe to and this user may not.
    pub(super) fn forbidden_subscribes(&self) -> Vec<String> {
        let mut all: BTreeSet<_> = HEARABLE.map(ToOwned::to_owned).into();
        all.extend(TABLE.iter().map(|rights| inbox(rights.user)));
        all.remove(&inbox(self.user));
        all.retain(|subject| !self.hears.contains(&subject.as_str()));
        all.into_iter().collect()
    }

    fn may_publish(&self, subject: &str) -> bool {
        let is = |prefix: &str, words: &[&str], end: &str| {
            words.iter().any(|word| subject == format!("{prefix}{word}{end}"))
        };
        let is_other = |other: &str| match other.ends_with('.') {
            true => subject.starts_with(other),
            false => subject == other,
        };
        let family = format!(".acme.{NOBODY}");
        let own = CONSUMERS.iter().filter(|(_, name)| name.starts_with(self.consumes));
        is("proofline.v1.", self.events, &family)
            || is("proofline.timer.v1.at.", self.timers, &family)
            || is("$JS.API.DIRECT.GET.", self.reads, "")
            || is("$JS.API.STREAM.MSG.GET.", self.reads, "")
            || is("$JS.API.STREAM.MSG.GET.", self.looks, "")
            || is("$JS.API.STREAM.MSG.DELETE.", self.deletes, "")
            || self.writes.iter().any(|bucket| subject.starts_with(&format!("$KV.{bucket}")))
            || own.clone().any(|(stream, name)| {
                [
                    format!("$JS.API.CONSUMER.INFO.{stream}.{name}"),
                    format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"),
                    ack(stream, name),
                    dead_letter(name),
                ]
                .contains(&subject.to_owned())
            })
            || ["INFO", "CREATE", "UPDATE"]
                .iter()
                .any(|verb| is(&format!("$JS.API.STREAM.{verb}."), self.makes, ""))
            || ["INFO", "DELETE", "RESTORE"]
                .iter()
                .any(|verb| is(&format!("$JS.API.STREAM.{verb}."), self.restores, ""))
            || is("$JS.API.STREAM.SNAPSHOT.", self.copies, "")
            || self.others.iter().any(|other| is_other(other))
    }
}
