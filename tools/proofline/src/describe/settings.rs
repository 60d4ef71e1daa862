//! Every setting of every program, from the functions that read them.

use proofline_journal::Settings as NatsSettings;
use proofline_service::{About, telemetry};
use proofline_settings::{Description, Reader};
use serde_json::{Value, json};

use crate::{doctor, keys::rewrap, provision, restore};

/// What one program reads from its environment.
pub(super) struct Program {
    /// The command that starts it.
    pub(super) command: String,
    /// One sentence.
    pub(super) summary: String,
    /// Its settings, in the order of its `--help`.
    pub(super) settings: Vec<Description>,
}

/// Whatever is deployed: the services, the simulator, and the commands that run as jobs.
pub(super) fn programs() -> Vec<Program> {
    vec![
        service(proofline_intake::ABOUT, proofline_intake::Settings::read),
        service(proofline_upload::ABOUT, proofline_upload::Settings::read),
        service(proofline_verifier::ABOUT, proofline_verifier::Settings::read),
        service(proofline_callback_receiver::ABOUT, proofline_callback_receiver::Settings::read),
        service(proofline_result_normaliser::ABOUT, proofline_result_normaliser::Settings::read),
        service(SIMULATOR, |r| {
            // As its `main.rs` declares it; `make deploy-check` compares with its `--help`.
            let listen = r.address(
                "SIMULATOR_LISTEN",
                "127.0.0.1:8090",
                "Token endpoint, API and admin API; the last is open to whoever reaches it.",
            );
            listen.zip(assure_simulator::Settings::read(r))
        }),
        command(
            "proofline provision",
            "Creates or updates streams, buckets and consumers in NATS.",
            provision::Settings::read,
        ),
        command(
            "proofline subscribers",
            "Shows subscribers, and lets one see again what ended.",
            NatsSettings::read,
        ),
        command(
            "proofline doctor",
            "Checks an installation, and says what is wrong and what to do.",
            doctor::Settings::read,
        ),
        command(
            "proofline dead",
            "Shows what no consumer could handle, and hands it to the consumer once more.",
            NatsSettings::read,
        ),
        command(
            "proofline keys rewrap",
            "Wraps every data key anew under the first key.",
            rewrap::Settings::read,
        ),
        command("proofline backup", "Copies streams and buckets into files.", NatsSettings::read),
        command("proofline restore", "Puts a backup back.", restore::Settings::read),
    ]
}

const SIMULATOR: About = About {
    name: "assure-simulator",
    summary: "Stands in for Signicat's Assure API over HTTP, for development and tests.",
};

/// As `proofline_service::main` reads them: its own, then those of telemetry.
fn service<S>(about: About, read: impl FnOnce(&mut Reader) -> Option<S>) -> Program {
    command(about.name, about.summary, |r| {
        let settings = read(r);
        settings.zip(telemetry::Settings::read(r))
    })
}

fn command<S>(
    command: &str,
    summary: &str,
    read: impl FnOnce(&mut Reader) -> Option<S>,
) -> Program {
    let mut reader = Reader::describing();
    // Describing gives no values; the calls are made for what they declare.
    let _ = read(&mut reader);
    Program {
        command: command.to_owned(),
        summary: summary.to_owned(),
        settings: reader.descriptions().to_vec(),
    }
}

/// For programs, such as the check of the manifests.
pub(super) fn document(programs: &[Program]) -> Value {
    let programs = programs.iter().map(|program| {
        json!({
            "command": program.command,
            "summary": program.summary,
            "settings": program.settings.iter().map(setting).collect::<Vec<_>>(),
        })
    });
    json!({ "programs": programs.collect::<Vec<_>>() })
}

fn setting(setting: &Description) -> Value {
    json!({
        "name": setting.name,
        "default": setting.default,
        "unit": setting.unit,
        "required": setting.required,
        "secret": setting.secret,
        "file_name": setting.file_name(),
        "about": setting.about,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_tells_its_settings_and_no_name_twice() {
        for program in programs() {
            let mut names: Vec<_> = program.settings.iter().map(|s| s.name).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert!(all > 0, "{}", program.command);
            assert_eq!(names.len(), all, "{}", program.command);
        }
    }

    #[test]
    fn a_secret_can_be_told_from_what_may_stand_in_a_manifest() {
        let document = document(&programs());
        let intake = &document["programs"][0];
        assert_eq!(intake["command"], "proofline-intake");
        let of = |name: &str| {
            let settings = intake["settings"].as_array().unwrap();
            settings.iter().find(|setting| setting["name"] == name).unwrap().clone()
        };

        let keys = of("PROOFLINE_KEYS");
        assert_eq!((&keys["required"], &keys["secret"]), (&json!(true), &json!(true)));
        assert_eq!(keys["file_name"], "PROOFLINE_KEYS_FILE");

        let expires_after = of("PROOFLINE_EXPIRES_AFTER");
        assert_eq!(expires_after["default"], "24h");
        assert_eq!(expires_after["unit"], "integer and ms, s, m, h or d");
        assert_eq!(expires_after["secret"], false);
        assert_eq!(expires_after["file_name"], Value::Null);
    }
}
