//! A stream as the server takes it: its configuration, then its pieces one by one.

use std::{fs, io::Read as _, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use async_nats::{Client, Request};
use serde_json::{Value, json};

use crate::backup::Stream;

/// How much is sent at once.
const PIECE: usize = 128 * 1024;
/// How long the server may take for a piece, and in the end for making a stream of them.
const NEXT: Duration = Duration::from_secs(30);
const RESTORING: Duration = Duration::from_secs(3600);

/// Makes the stream, with so many replicas.
pub(super) async fn restore(
    client: &Client,
    folder: &Path,
    stream: &Stream,
    replicas: usize,
) -> anyhow::Result<()> {
    let told = fs::read(folder.join(&stream.config.path))?;
    let mut told: Value = serde_json::from_slice(&told).context("backup.json cannot be read")?;
    told["config"]["num_replicas"] = json!(replicas);
    let subject = format!("$JS.API.STREAM.RESTORE.{}", stream.name);
    let begun = ask(client, &subject, told.to_string().into_bytes(), NEXT).await?;
    let to = begun["deliver_subject"].as_str().context("the server does not say where to")?;
    let mut file = fs::File::open(folder.join(&stream.data.path))?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            break;
        }
        ask(client, to, piece[..count].to_vec(), NEXT).await?;
    }
    let made = ask(client, to, Vec::new(), RESTORING).await?;
    let found = &made["state"];
    let is_all = found["messages"] == stream.messages && found["last_seq"] == stream.last_sequence;
    // What has become too old meanwhile is gone at once.
    let is_all = is_all || found["last_seq"] == stream.last_sequence && is_limited(&told);
    ensure!(is_all, "the server has {found} of it, {} messages were written", stream.messages);
    Ok(())
}

fn is_limited(told: &Value) -> bool {
    told["config"]["max_age"].as_u64().is_some_and(|age| age > 0)
}

async fn ask(
    client: &Client,
    subject: &str,
    payload: Vec<u8>,
    within: Duration,
) -> anyhow::Result<Value> {
    let request = Request::new().payload(payload.into()).timeout(Some(within));
    let answer = client.send_request(subject.to_owned(), request).await;
    let answer = answer.context("the server does not answer")?.payload;
    if answer.is_empty() {
        return Ok(Value::Null);
    }
    let answer: Value = serde_json::from_slice(&answer)?;
    ensure!(answer["error"].is_null(), "the server refuses: {}", answer["error"]["description"]);
    Ok(answer)
}
