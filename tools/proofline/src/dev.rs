//! `proofline dev`.

use std::path::PathBuf;

use anyhow::Context;
use proofline_settings::Source;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    output::say,
    sandbox::{API_KEY, SUBSCRIBER, Sandbox, Start, TENANT},
};

/// Runs everything until Ctrl-C.
pub(crate) async fn run(data: PathBuf, free_ports: bool) -> anyhow::Result<()> {
    let data = std::path::absolute(&data)?;
    let start = Start { data: data.clone(), free_ports, defaults: Source::default() };
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
    let Sandbox { api_url: api, upload_url: upload, nats_url: nats, .. } = sandbox;
    let simulator = match &sandbox.simulator_url {
        Some(url) => format!("{url} (its admin API: {url}/simulator/state)"),
        None => "not started: ASSURE_BASE_URL is set".to_owned(),
    };
    let data = data.display();
    format!(
        r#"
Proofline is ready.

  API          {api}
  its manual   {api}/docs
  uploads      {upload}
  NATS         {nats}
  simulator    {simulator}
  data         {data}
  tenant       {TENANT}, API key {API_KEY}, durable consumer {SUBSCRIBER}

Create a verification:

  curl -s {api}/v1/verifications -H 'Authorization: Bearer {API_KEY}' -H 'Content-Type: application/json' \
    -d '{{"flow":"document","provider":"onfido","process_type":"document","document":{{"type":"passport","country":"NOR"}},"submit_when":["front"]}}'

Then PUT a JPEG or PNG to the upload URL in its next_action, and GET it with "Prefer: wait=20".
Or be the end-user of a page: create this, and open the address in its next_action in a browser.

    -d '{{"flow":"eid","provider":"connect:idin","return_url":"http://127.0.0.1:3000/done"}}'

Tag it "simulate:rejected" (or any other outcome) to script the simulator. Ctrl-C ends everything.
"#
    )
}
