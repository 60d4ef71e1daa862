//! A stream as the server hands it out: checked there, then in pieces that are confirmed one by one.

use std::{
    fs::{self, DirBuilder},
    io::{BufWriter, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use async_nats::{Client, Message, Request};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{File, Stream};

/// How long the server may take to check a whole stream before it begins.
const CHECKING: Duration = Duration::from_secs(600);
/// How many bytes a piece has, all but the last one, which needs no confirmation.
const PIECE: usize = 32 * 1024;
/// How long the next piece may take.
const NEXT: Duration = Duration::from_secs(30);

/// Copies a stream with its consumers into a folder of its name.
pub(super) async fn take(client: &Client, name: &str, folder: &Path) -> anyhow::Result<Stream> {
    DirBuilder::new().mode(0o700).create(folder.join(name))?;
    let (config, data) = (format!("{name}/backup.json"), format!("{name}/stream.tar.s2"));
    let inbox = client.new_inbox();
    let mut pieces = client.subscribe(inbox.clone()).await?;
    let request = json!({
        "deliver_subject": inbox, "no_consumers": false, "jsck": true, "chunk_size": PIECE,
    });
    let request = Request::new().payload(request.to_string().into()).timeout(Some(CHECKING));
    let answer = client.send_request(format!("$JS.API.STREAM.SNAPSHOT.{name}"), request).await;
    let mut answer: Value =
        serde_json::from_slice(&answer.context("the server does not answer")?.payload)?;
    ensure!(answer["error"].is_null(), "the server refuses: {}", answer["error"]["description"]);

    let mut file = BufWriter::new(fs::File::create_new(folder.join(&data))?);
    let mut number = 0_u64;
    loop {
        let piece = timeout(NEXT, pieces.next()).await.context("the server stopped sending")?;
        let piece = piece.context("the connection ended")?;
        if piece.payload.is_empty() {
            is_complete(&piece)?;
            break;
        }
        if let Some(confirmation) = piece.reply {
            number += 1;
            let told = confirmation.rsplit('.').next();
            ensure!(told == Some(&number.to_string()), "piece {number} did not arrive");
            client.publish(confirmation, "".into()).await?;
        }
        file.write_all(&piece.payload)?;
    }
    file.into_inner().context("cannot write")?.sync_all()?;
    let state = &answer["state"];
    let number = |member: &str| state[member].as_u64().unwrap_or_default();
    let (messages, last_sequence) = (number("messages"), number("last_seq"));
    let consumers = number("consumer_count");
    let told = json!({ "config": answer["config"].take(), "state": answer["state"].take() });
    fs::write(folder.join(&config), serde_json::to_vec_pretty(&told)?)?;
    Ok(Stream {
        name: name.to_owned(),
        messages,
        last_sequence,
        consumers,
        config: File::of(folder, &config)?,
        data: File::of(folder, &data)?,
    })
}

/// The last message has no payload, and says whether all went well.
fn is_complete(last: &Message) -> anyhow::Result<()> {
    match last.status.map(|status| status.as_u16()) {
        None | Some(204) => Ok(()),
        Some(status) => {
            let why = last.description.as_deref().unwrap_or_default();
            bail!("the server broke off: {status} {why}")
        }
    }
}
