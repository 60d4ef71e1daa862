//! `proofline doctor`: what is wrong with an installation, and what to do about it.

mod addresses;
mod assure;
mod finding;
mod nats;
mod probe;
mod report;
mod secrets;
mod server;
mod settings;

use anyhow::bail;
use proofline_settings::{Reader, Source};

use finding::Check;
pub(crate) use settings::Settings;

use crate::output::say;

/// What the doctor is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
    /// Takes what this check finds, or that nobody could look, for no problem. May be given more than
    /// once.
    #[arg(long, value_name = "CHECK")]
    accept: Vec<Check>,
    /// Describes the settings and does nothing else.
    #[arg(long)]
    settings: bool,
}

/// Makes every check, says what was found, and fails if there is a problem or something
/// that could not be looked at.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.settings {
        let mut reader = Reader::describing();
        Settings::read(&mut reader);
        say(&reader.help());
        return Ok(());
    }
    let mut reader = Reader::new(&Source::from_env());
    let settings = Settings::read(&mut reader);
    let settings = reader.finish(settings)?;
    let (mut findings, assure, addresses) = tokio::join!(
        Box::pin(nats::examine(&settings)),
        Box::pin(assure::examine(&settings)),
        addresses::examine(&settings),
    );
    findings.extend(assure);
    findings.extend(addresses);
    findings.extend(secrets::examine(&settings));
    findings.sort_by_key(|finding| finding.check);
    let report = report::Report::new(findings, &arguments.accept);
    say(&if arguments.json { report.to_json() } else { report.to_string() });
    match report.problems() {
        0 => Ok(()),
        1 => bail!("there is a problem, or something could not be looked at"),
        many => bail!("there are {many} problems, or things that could not be looked at"),
    }
}
