//! `proofline verify`: one verification against any installation, from image files.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use proofline_settings::{Reader, SecretString, Source};
use serde_json::{Map, Value, json};

use crate::{installation::Caller, output::say, timeline};

/// How long one look at the verification waits.
const LOOK_SECONDS: u64 = 10;

/// What to verify, and where.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Intake, as its callers reach it.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    api_url: String,
    /// Assure's name of the provider.
    #[arg(long, default_value = "onfido")]
    provider: String,
    /// Assure's name of the process type.
    #[arg(long, default_value = "documentSelfie")]
    process_type: String,
    /// Assure's name of the type of document.
    #[arg(long, default_value = "passport")]
    document_type: String,
    /// Country of the document, such as NOR.
    #[arg(long)]
    country: Option<String>,
    /// Image file of the document's front.
    #[arg(long, value_name = "FILE")]
    front: Option<PathBuf>,
    /// Image file of the document's back.
    #[arg(long, value_name = "FILE")]
    back: Option<PathBuf>,
    /// Image file of the end-user's face.
    #[arg(long, value_name = "FILE")]
    selfie: Option<PathBuf>,
    /// Your own reference; not for personal data.
    #[arg(long, default_value = "")]
    reference: String,
    /// A tag; may be given several times. Not for personal data.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The provider's own parameters, as a JSON object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    parameters: Option<Map<String, Value>>,
    /// Deadline in seconds.
    #[arg(long, default_value_t = 3600)]
    expires_in: u64,
    /// Prints the result too, which is personal data.
    #[arg(long)]
    result: bool,
}

/// Runs the verification to its end.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let images = read_images(&arguments)?;
    let caller = Caller::new(&arguments.api_url, api_key()?)?;
    let created = caller.create(&body(&arguments), &idempotency_key()?).await?;
    let id = created["id"].as_str().context("the answer has no id")?.to_owned();
    say(&format!("{id} is created"));
    for (depiction, image) in &images {
        caller
            .upload(&created, depiction, image)
            .await
            .with_context(|| format!("cannot upload {depiction}"))?;
        say(&format!("{depiction} is uploaded ({} bytes)", image.len()));
    }
    caller.submit(&id).await.context("cannot submit")?;
    let verification = follow(&caller, &id).await?;
    let outcome = verification["outcome"].as_str().unwrap_or_default();
    match verification["reason"]["message"].as_str() {
        Some(reason) => say(&format!("\nThe verification ended {outcome}: {reason}")),
        None => say(&format!("\nThe verification ended {outcome}.")),
    }
    if arguments.result {
        let result = caller.result(&id).await?;
        say(&serde_json::to_string_pretty(&result["final_result"])?);
    }
    Ok(())
}

/// Shows what happens until there is an end.
async fn follow(caller: &Caller, id: &str) -> anyhow::Result<Value> {
    let mut shown = 0;
    loop {
        let verification = caller.wait(id, LOOK_SECONDS).await?;
        let events = caller.timeline(id).await?;
        if shown == 0 {
            say(&format!("\n{}", timeline::heading()));
        }
        for event in events.iter().skip(shown) {
            say(&timeline::line(event));
        }
        shown = events.len();
        if !verification["outcome"].is_null() {
            return Ok(verification);
        }
    }
}

fn body(arguments: &Arguments) -> Value {
    json!({
        "flow": "document",
        "provider": arguments.provider,
        "process_type": arguments.process_type,
        "document": { "type": arguments.document_type, "country": arguments.country },
        "reference": arguments.reference,
        "tags": arguments.tags,
        "parameters": arguments.parameters,
        "expires_in_seconds": arguments.expires_in,
    })
}

fn read_images(arguments: &Arguments) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let given =
        [("front", &arguments.front), ("back", &arguments.back), ("selfie", &arguments.selfie)];
    let given =
        given.into_iter().filter_map(|(depiction, file)| Some((depiction, file.as_deref()?)));
    let images = given
        .map(|(depiction, file)| Ok((depiction, read(file)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(
        !images.is_empty(),
        "give at least one image: --front FILE, --back FILE, --selfie FILE"
    );
    Ok(images)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// From the environment or a file, never from the command line, which others can see.
fn api_key() -> anyhow::Result<SecretString> {
    let source = Source::from_env();
    let mut reader = Reader::new(&source);
    let key = reader.secret("PROOFLINE_API_KEY", "API key of your tenant.");
    Ok(reader.finish(key)?)
}

/// One for this run, so that trying again means the same verification.
fn idempotency_key() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the system has no randomness")?;
    Ok(format!("proofline-verify-{:032x}", u128::from_be_bytes(bytes)))
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("must be a JSON object: {error}"))
}
