//! `proofline dev`.

use std::path::PathBuf;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    output::say,
    sandbox::{SUBSCRIBER, Sandbox, Start, TENANT},
};

/// Runs everything until Ctrl-C.
pub(crate) async fn run(data: PathBuf, free_ports: bool) -> anyhow::Result<()> {
    let data = std::path::absolute(&data)?;
    let start = Start { data: data.clone(), free_ports, log: "info" };
    // Listened for before anything is started, so that nothing is left behind.
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut sandbox = Sandbox::start(start).await?;
    say(&greeting(&sandbox, &data));
    let broken = tokio::select! {
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        error = sandbox.broken() => Some(error),
    };
    match broken {
        None => {
            say("Stopping.");
            sandbox.stop().await
        }
        Some(error) => Err(error),
    }
}

fn greeting(sandbox: &Sandbox, data: &std::path::Path) -> String {
    let installation = &sandbox.installation;
    let (api, upload, key) =
        (&installation.api_url, &installation.upload_url, &installation.api_key);
    let nats = &sandbox.nats_url;
    let simulator = match &sandbox.simulator_url {
        Some(url) => format!("{url} (its admin API: {url}/simulator/state)"),
        None => "not started: ASSURE_BASE_URL is set".to_owned(),
    };
    let data = data.display();
    format!(
        r#"
Proofline is ready.

  API          {api}
  uploads      {upload}
  NATS         {nats}
  simulator    {simulator}
  data         {data}
  tenant       {TENANT}, API key {key}, durable consumer {SUBSCRIBER}

Create a verification:

  curl -s {api}/v1/verifications -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
    -d '{{"flow":"document","provider":"onfido","process_type":"document","document":{{"type":"passport","country":"NOR"}},"submit_when":["front"]}}'

Then PUT a JPEG or PNG to the upload URL in its next_action, and GET it with "Prefer: wait=20".
Tag it "simulate:rejected" (or any other outcome) to script the simulator. Ctrl-C ends everything.
"#
    )
}
