//! What the programs say about their settings, and of wrong ones.

use std::process::Output;

use serde_json::json;
use tokio::time::timeout;

use crate::harness::{PATIENCE, SERVICES, Scene, program};

/// Wrong values, and what a service lacks, by the setting that is to be named.
struct Wrong {
    service: &'static str,
    settings: &'static [(&'static str, &'static str)],
    missing: &'static [&'static str],
}

const SECRET: &str = "planted-secret";

const EVERYWHERE: [(&str, &str); 4] = [
    ("PROOFLINE_LOG", "a=b=c=d"),
    ("PROOFLINE_NATS_URL", "http:// not a server"),
    ("PROOFLINE_NATS_PASSWORD", SECRET),
    ("PROOFLINE_ADMIN_LISTEN", "localhost"),
];

const ASSURE: [(&str, &str); 2] =
    [("ASSURE_BASE_URL", "ftp://assure"), ("ASSURE_TOKEN_URL", "https://user:planted-secret@x/")];

const ALL: [Wrong; 5] = [
    Wrong {
        service: "proofline-intake",
        settings: &[
            ("PROOFLINE_LISTEN", "127.0.0.1"),
            ("PROOFLINE_TENANTS_FILE", "/nowhere/tenants.toml"),
            ("PROOFLINE_KEYS", "k1:planted-secret"),
            ("PROOFLINE_TOKEN_KEYS", "K1:planted-secret"),
            ("PROOFLINE_PUBLIC_URL", "127.0.0.1:8082"),
            ("PROOFLINE_UPLOAD_URL", "https://x/?query"),
            ("PROOFLINE_EXPIRES_AFTER", "0s"),
            ("ASSURE_COMPLETION", "pigeon"),
        ],
        missing: &["ASSURE_CLIENT_ID", "ASSURE_CLIENT_SECRET"],
    },
    Wrong {
        service: "proofline-upload",
        settings: &[
            ("PROOFLINE_LISTEN", "127.0.0.1:99999"),
            ("PROOFLINE_TOKEN_KEYS", "planted-secret"),
            ("PROOFLINE_MAX_IMAGE_BYTES", "10MB"),
        ],
        missing: &["PROOFLINE_TENANTS_FILE", "ASSURE_CLIENT_ID", "ASSURE_CLIENT_SECRET"],
    },
    Wrong {
        service: "proofline-verifier",
        settings: &[("PROOFLINE_KEYS", "k1:planted-secret")],
        missing: &["ASSURE_CLIENT_ID", "ASSURE_CLIENT_SECRET"],
    },
    Wrong {
        service: "proofline-callback-receiver",
        settings: &[("PROOFLINE_LISTEN", "0.0.0.0")],
        missing: &["PROOFLINE_TOKEN_KEYS"],
    },
    Wrong {
        service: "proofline-result-normaliser",
        settings: &[
            ("PROOFLINE_KEYS", "k1:planted-secret"),
            ("PROOFLINE_API_URL", "intake"),
            ("ASSURE_DELETE_AFTER", "60d"),
        ],
        missing: &["ASSURE_CLIENT_ID", "ASSURE_CLIENT_SECRET"],
    },
];

async fn output(name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = program(name);
    command.args(arguments).envs(settings.iter().copied());
    timeout(PATIENCE, command.output()).await.expect("it goes on running").unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn assert_refused(name: &str, output: &Output, named: &[&str]) {
    assert_eq!(output.status.code(), Some(2), "{name}");
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(said, "", "{name} was about to work");
    assert_eq!(complained.matches("wrong setting").count(), 1, "{complained}");
    for setting in named {
        let line = format!("\n  {setting}: ");
        assert_eq!(complained.matches(&line).count(), 1, "{setting} is not in\n{complained}");
    }
    let lines = complained.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(lines, named.len(), "{complained}");
    assert!(!complained.contains(SECRET), "{complained}");
}

#[tokio::test]
async fn wrong_settings_are_exit_code_2_and_one_message_that_names_all_of_them() {
    for Wrong { service, settings, missing } in ALL {
        let mut all = [settings, &EVERYWHERE].concat();
        let mut named: Vec<_> =
            settings.iter().map(|(name, _)| *name).chain(missing.iter().copied()).collect();
        // A password alone is no login.
        named.extend([
            "PROOFLINE_LOG",
            "PROOFLINE_NATS_URL",
            "PROOFLINE_NATS_USER",
            "PROOFLINE_ADMIN_LISTEN",
        ]);
        if missing.contains(&"ASSURE_CLIENT_ID") {
            all.extend(ASSURE);
            named.extend(ASSURE.map(|(name, _)| name));
        }

        let output = output(service, &[], &all).await;

        assert_refused(service, &output, &named);
    }
}

#[tokio::test]
async fn a_default_deadline_that_no_verification_may_have_is_wrong() {
    let name = "PROOFLINE_EXPIRES_AFTER";
    for (value, is_wrong) in [("90d", true), ("721h", true), ("30d", false)] {
        let refused = output("proofline-intake", &[], &[(name, value)]).await;
        assert_eq!(refused.status.code(), Some(2), "others are missing");
        let complained = text(&refused.stderr);
        let complaint = format!("\n  {name}: must be at most 30d");
        assert_eq!(complained.contains(&complaint), is_wrong, "{complained}");
    }
}

#[tokio::test]
async fn the_other_programs_refuse_wrong_settings_likewise() {
    let wrong = [("PROOFLINE_NATS_REPLICAS", "6"), ("PROOFLINE_EVENT_RETENTION", "60d")];
    let refused = output("proofline", &["provision"], &wrong).await;
    assert_eq!(refused.status.code(), Some(2));
    let complained = text(&refused.stderr);
    for name in ["PROOFLINE_NATS_REPLICAS", "PROOFLINE_EVENT_RETENTION", "PROOFLINE_TENANTS_FILE"] {
        assert!(complained.contains(&format!("\n  {name}: ")), "{complained}");
    }

    let wrong = [("SIMULATOR_LISTEN", "here"), ("SIMULATOR_PROCESSING_TIME", "soon")];
    let refused = output("assure-simulator", &[], &wrong).await;
    assert_refused(
        "assure-simulator",
        &refused,
        &["SIMULATOR_LISTEN", "SIMULATOR_PROCESSING_TIME"],
    );
}

#[tokio::test]
async fn a_service_takes_no_argument() {
    for service in SERVICES {
        let refused = output(service, &[SECRET], &[]).await;
        assert_eq!(refused.status.code(), Some(2));
        assert!(!text(&refused.stderr).contains(SECRET));
        assert_eq!(text(&refused.stdout), "");
    }
}

#[tokio::test]
async fn help_lists_every_setting_with_default_and_unit() {
    const DURATION: &str = "integer and ms, s, m, h or d";
    let everywhere = [
        ("PROOFLINE_NATS_URL", "default nats://127.0.0.1:4222", "URL"),
        ("PROOFLINE_NATS_USER", "default none", ""),
        ("PROOFLINE_NATS_PASSWORD", "default none", "PROOFLINE_NATS_PASSWORD_FILE"),
        ("PROOFLINE_NATS_CREDS_FILE", "default none", ""),
        ("PROOFLINE_NATS_CA_FILE", "default none", ""),
        ("PROOFLINE_NATS_INBOX_PREFIX", "default none", ""),
        ("PROOFLINE_LOG", "default info", "filter"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "default none", "URL"),
    ];
    let assure = [
        ("ASSURE_BASE_URL", "default https://api.signicat.com/assure", ""),
        ("ASSURE_TOKEN_URL", "default https://api.signicat.com/auth/open/connect/token", ""),
        ("ASSURE_CLIENT_ID", "required", ""),
        ("ASSURE_CLIENT_SECRET", "required", "ASSURE_CLIENT_SECRET_FILE"),
        ("ASSURE_SCOPE", "default signicat-api", ""),
    ];
    let tenants = ("PROOFLINE_TENANTS_FILE", "required", "");
    let keys = ("PROOFLINE_KEYS", "required", "PROOFLINE_KEYS_FILE");
    let token_keys = ("PROOFLINE_TOKEN_KEYS", "default none", "32 bytes in standard base64");
    let intake = [
        ("PROOFLINE_LISTEN", "default 127.0.0.1:8080", ""),
        ("PROOFLINE_ADMIN_LISTEN", "default 127.0.0.1:9080", ""),
        ("PROOFLINE_PUBLIC_URL", "default http://127.0.0.1:8082", ""),
        ("PROOFLINE_UPLOAD_URL", "default http://127.0.0.1:8081", ""),
        ("PROOFLINE_EXPIRES_AFTER", "default 24h", DURATION),
        ("ASSURE_COMPLETION", "default callback,events", ""),
        ("ASSURE_PAGE_MEMBERS", "default redirectUrl,url", "comma-separated"),
    ];
    let upload = [
        ("PROOFLINE_LISTEN", "default 127.0.0.1:8081", ""),
        ("PROOFLINE_ADMIN_LISTEN", "default 127.0.0.1:9081", ""),
        ("PROOFLINE_MAX_IMAGE_BYTES", "default 10485760", "bytes"),
    ];
    let receiver = [
        ("PROOFLINE_LISTEN", "default 127.0.0.1:8082", ""),
        ("PROOFLINE_ADMIN_LISTEN", "default 127.0.0.1:9082", ""),
    ];
    let verifier = [("PROOFLINE_ADMIN_LISTEN", "default 127.0.0.1:9083", "")];
    let normaliser = [
        ("PROOFLINE_ADMIN_LISTEN", "default 127.0.0.1:9084", ""),
        ("PROOFLINE_API_URL", "default http://127.0.0.1:8080", ""),
    ];
    let provision = [
        tenants,
        ("PROOFLINE_NATS_REPLICAS", "default 1", "replicas"),
        ("PROOFLINE_EVENT_RETENTION", "default 90d", DURATION),
        ("PROOFLINE_RESULT_RETENTION", "default 30d", DURATION),
    ];
    let simulator = [("SIMULATOR_LISTEN", "default 127.0.0.1:8090", "")];
    let help: &[&str] = &["--help"];
    let all = [
        (
            "proofline-intake",
            help,
            [&intake[..], &everywhere, &assure, &[tenants, keys, token_keys]].concat(),
        ),
        (
            "proofline-upload",
            help,
            [&upload[..], &everywhere, &assure, &[tenants, token_keys]].concat(),
        ),
        ("proofline-callback-receiver", help, [&receiver[..], &everywhere, &[token_keys]].concat()),
        ("proofline-verifier", help, [&verifier[..], &everywhere, &assure, &[keys]].concat()),
        (
            "proofline-result-normaliser",
            help,
            [&normaliser[..], &everywhere, &assure, &[keys]].concat(),
        ),
        ("proofline", &["provision", "--settings"], [&provision[..], &everywhere[..6]].concat()),
        ("assure-simulator", help, simulator.to_vec()),
    ];

    for (name, arguments, rows) in all {
        let output = output(name, arguments, &[]).await;
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert_eq!(text(&output.stderr), "", "{name}");
        let help = text(&output.stdout);
        for (setting, default, unit) in rows {
            let is_it = |line: &&str| line.split_whitespace().next() == Some(setting);
            let line = help.lines().find(is_it);
            let line = line.unwrap_or_else(|| panic!("{name}: {setting} is not in\n{help}"));
            assert!(line.contains(default) && line.contains(unit), "{name}: {line}");
        }
    }
}

#[tokio::test]
async fn a_service_asks_for_nothing_it_does_not_use() {
    let of_others = [
        ("proofline-callback-receiver", "ASSURE_"),
        ("proofline-verifier", "PROOFLINE_TENANTS_FILE"),
        ("proofline-result-normaliser", "PROOFLINE_TOKEN_KEYS"),
    ];
    for (service, prefix) in of_others {
        let refused = output(service, &[], &[("PROOFLINE_LOG", "a=b=c=d")]).await;
        let complained = text(&refused.stderr);
        assert!(!complained.contains(&format!("\n  {prefix}")), "{complained}");
    }
}

#[tokio::test]
async fn secrets_may_be_given_as_files() {
    let stage = Scene::new().with_secrets_in_files().start().await;
    let (given, _, then) = stage.acts();

    let v = given.a_submitted_verification(json!({})).await;

    then.ends_as(&v, "accepted", "").await;
    assert_eq!(then.result(&v).await["final_result"]["first_name"], "INGA");
}

#[tokio::test]
async fn a_secret_given_twice_or_in_a_file_that_is_not_there_is_wrong() {
    let twice = [
        ("PROOFLINE_TOKEN_KEYS", "k1:planted-secret"),
        ("PROOFLINE_TOKEN_KEYS_FILE", "/nowhere/planted-secret"),
    ];
    let refused = output("proofline-callback-receiver", &[], &twice).await;
    assert_refused("twice", &refused, &["PROOFLINE_TOKEN_KEYS"]);

    let nowhere = [("PROOFLINE_TOKEN_KEYS_FILE", "/nowhere/planted-secret")];
    let refused = output("proofline-callback-receiver", &[], &nowhere).await;
    assert_refused("nowhere", &refused, &["PROOFLINE_TOKEN_KEYS_FILE"]);
}
