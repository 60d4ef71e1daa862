//! What to do with arguments and settings, decided without doing any of it.

use std::{ffi::OsString, fmt};

use proofline_settings::{Reader, Source};

use crate::telemetry;

/// The version of the workspace, which every process has.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How a process presents itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Its name, such as `proofline-intake`; also the `service.name` of its telemetry.
    pub name: &'static str,
    /// One sentence for `--help`.
    pub summary: &'static str,
}

/// What a process should do.
#[derive(Debug)]
pub enum Plan<S> {
    /// Print this and exit with 0.
    Say(String),
    /// Print this on standard error and exit with 2.
    Refuse(String),
    /// Run.
    Run(Ready<S>),
}

/// Settings that passed every check.
#[derive(Debug)]
pub struct Ready<S> {
    /// The service's own.
    pub settings: S,
    /// Those of its telemetry.
    pub telemetry: telemetry::Settings,
    /// Variables with our prefixes that nobody asked for, perhaps misspelt.
    pub unknown: Vec<String>,
}

/// Decides from the arguments (without the program's name) and the settings.
pub fn plan<S>(
    about: &About,
    arguments: impl IntoIterator<Item = OsString>,
    source: &Source,
    read: impl FnOnce(&mut Reader) -> Option<S>,
) -> Plan<S> {
    let mut arguments = arguments.into_iter();
    match (arguments.next(), arguments.next()) {
        (None, _) => settings(about, source, read),
        (Some(argument), None) if argument == "--help" || argument == "-h" => {
            Plan::Say(help(about, read))
        }
        (Some(argument), None) if argument == "--version" || argument == "-V" => {
            Plan::Say(format!("{} {VERSION}\n", about.name))
        }
        // The argument is not repeated: somebody may have put a secret there.
        _ => Plan::Refuse(format!(
            "{}: takes no argument but --help or --version; settings come from the environment\n",
            about.name
        )),
    }
}

fn settings<S>(
    about: &About,
    source: &Source,
    read: impl FnOnce(&mut Reader) -> Option<S>,
) -> Plan<S> {
    let mut reader = Reader::new(source);
    let settings = read(&mut reader);
    let telemetry = telemetry::Settings::read(&mut reader);
    let unknown = reader.unknown();
    match reader.finish(settings.zip(telemetry)) {
        Ok((settings, telemetry)) => Plan::Run(Ready { settings, telemetry, unknown }),
        Err(faults) => Plan::Refuse(format!(
            "{name}: {faults}\n{name} --help lists every setting\n",
            name = about.name
        )),
    }
}

fn help<S>(about: &About, read: impl FnOnce(&mut Reader) -> Option<S>) -> String {
    let mut reader = Reader::describing();
    // Describing gives no values; the calls are made for what they declare.
    let _ = read(&mut reader);
    let _ = telemetry::Settings::read(&mut reader);
    Help { about, settings: reader.help() }.to_string()
}

struct Help<'a> {
    about: &'a About,
    settings: String,
}

impl fmt::Display for Help<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let About { name, summary } = self.about;
        writeln!(f, "{name} {VERSION}\n{summary}\n")?;
        writeln!(f, "Usage: {name} [--help | --version]\n")?;
        writeln!(f, "Settings, from the environment (an empty value counts as unset):\n")?;
        writeln!(f, "{}", self.settings)?;
        writeln!(f, "Exit codes: 0 stopped as asked, 1 failed, 2 wrong settings or arguments.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About = About { name: "proofline-example", summary: "Shows how it is done." };

    fn read(r: &mut Reader) -> Option<String> {
        r.text("PROOFLINE_NEEDED", None, "Something needed.")
    }

    fn planned(arguments: &[&str], pairs: &[(&str, &str)]) -> Plan<String> {
        let source = Source::from_pairs(pairs.iter().copied());
        plan(&ABOUT, arguments.iter().map(OsString::from), &source, read)
    }

    #[test]
    fn help_needs_no_setting_and_lists_its_own_and_those_of_telemetry() {
        for argument in ["--help", "-h"] {
            let Plan::Say(text) = planned(&[argument], &[]) else { panic!("must speak") };
            for part in [
                "proofline-example",
                "Shows how it is done.",
                "PROOFLINE_NEEDED",
                "PROOFLINE_LOG",
                "default info",
                "OTEL_EXPORTER_OTLP_ENDPOINT",
            ] {
                assert!(text.contains(part), "{part} is not in\n{text}");
            }
        }
    }

    #[test]
    fn the_version_is_one_line() {
        let Plan::Say(text) = planned(&["--version"], &[]) else { panic!("must speak") };
        assert_eq!(text, format!("proofline-example {VERSION}\n"));
    }

    #[test]
    fn any_other_argument_is_refused_without_repeating_it() {
        for arguments in [&["--secret=hunter2"][..], &["--help", "hunter2"], &["hunter2"]] {
            let Plan::Refuse(text) = planned(arguments, &[("PROOFLINE_NEEDED", "x")]) else {
                panic!("must refuse")
            };
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn faults_of_the_service_and_of_telemetry_come_in_one_message() {
        let Plan::Refuse(text) = planned(&[], &[("PROOFLINE_LOG", "a=b=c=d")]) else {
            panic!("must refuse")
        };
        assert!(text.starts_with("proofline-example: wrong settings:\n"), "{text}");
        assert!(text.contains("\n  PROOFLINE_NEEDED: is required\n"), "{text}");
        assert!(text.contains("\n  PROOFLINE_LOG: "), "{text}");
    }

    #[test]
    fn good_settings_run_and_unknown_ones_are_named() {
        let pairs = [("PROOFLINE_NEEDED", "x"), ("PROOFLINE_NEDED", "y"), ("OTHER", "z")];
        let Plan::Run(ready) = planned(&[], &pairs) else { panic!("must run") };
        assert_eq!(ready.settings, "x");
        assert_eq!(ready.unknown, ["PROOFLINE_NEDED"]);
    }
}
