//! A subscriber as a program: an example of `crates/subscriber`, in whichever language.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use async_nats::jetstream::{
    self,
    consumer::{Info, PullConsumer, pull},
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};

use crate::harness::{PATIENCE, Stage, Verification, eventually};

/// The durable that provision makes for the subscriber of the tenant `acme`.
pub(crate) const DURABLE: &str = "acme-billing";

/// What these programs may be told; a developer's own shell must not tell them anything else.
const SETTINGS: [&str; 5] =
    ["NATS_URL", "NATS_DURABLE", "NATS_CREDS_FILE", "NATS_INBOX_PREFIX", "NATS_JS_PREFIX"];

/// A user's credentials, whose seed is the one of NATS' manual.
const CREDENTIALS: &str = "\
-----BEGIN NATS USER JWT-----
planted.user.jwt
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY
------END USER NKEY SEED------
";

/// A running example. Killed when it is dropped.
struct Example {
    child: Child,
    log: PathBuf,
}

/// An example that is killed while an end is on its way to it, and started again, has printed
/// every end in the end; also those that came while it was away, or while NATS was.
pub(crate) async fn misses_nothing_when_killed(stage: &Stage, program: impl Fn() -> Command) {
    let (given, when, then) = stage.acts();
    set_short_ack_wait(stage).await;
    let one_ends = async |outcome: &str| {
        let tags = json!({ "tags": [format!("simulate:{outcome}")] });
        let v = given.a_submitted_verification(tags).await;
        then.ends_as(&v, outcome, "").await;
        v
    };
    let url = stage.broker.lock().await.url();
    let start = |name| Example::start(program(), stage, name, &url);
    let first = start("first");
    let before = one_ends("accepted").await;
    first.prints(&before, "accepted").await;
    consumer_is(stage, "asked for more", |info| info.num_waiting > 0).await;

    first.signal("STOP").await;
    let during = one_ends("rejected").await;
    consumer_is(stage, "waiting for an acknowledgement", |info| info.num_ack_pending == 1).await;
    first.kill().await;
    let away = one_ends("accepted").await;
    let mut second = start("second");

    second.prints(&during, "rejected").await;
    second.prints(&away, "accepted").await;
    when.nats_stops().await;
    when.nats_returns().await;
    for service in crate::harness::SERVICES {
        stage.becomes_ready(service).await;
    }
    let after = one_ends("accepted").await;
    second.prints(&after, "accepted").await;
    consumer_is(stage, "done", |info| info.num_pending == 0 && info.num_ack_pending == 0).await;
    second.ends_when_asked().await;
    let printed = second.printed();
    for v in [&during, &away, &after] {
        assert_eq!(printed.matches(&format!("{} ", v.id)).count(), 1, "{printed}");
    }
}

/// An example that is asked to stop does, also while NATS is away: whether it went away, or was
/// never there.
pub(crate) async fn stops_while_nats_is_away(stage: &Stage, program: impl Fn() -> Command) {
    let (given, when, then) = stage.acts();
    // The first of these servers isn't there, the second never finishes its greeting.
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://127.0.0.1:1,nats://{}", door.local_addr().unwrap());
    let credentials = stage.folder().join("planted.creds");
    fs::write(&credentials, CREDENTIALS).unwrap();
    let mut command = program();
    command.env("NATS_CREDS_FILE", &credentials);
    let mut connecting = Example::start(command, stage, "connecting", &url);
    let broker = stage.broker.lock().await.url();
    let mut consuming = Example::start(program(), stage, "consuming", &broker);

    let (connection, introduction) = timeout(PATIENCE, introduction(&door)).await.unwrap();
    connecting.ends_when_asked().await;
    drop(connection);
    let v = given.a_submitted_verification(json!({})).await;
    then.ends_as(&v, "accepted", "").await;
    consuming.prints(&v, "accepted").await;
    when.nats_stops().await;
    consuming.ends_when_asked().await;

    for part in [r#""jwt":"planted.user.jwt""#, r#""sig":""#] {
        assert!(introduction.replace(": ", ":").contains(part), "{part} in {introduction}");
    }
}

/// How the next client introduces itself to a server that asks for a signature.
async fn introduction(door: &TcpListener) -> (BufReader<TcpStream>, String) {
    let (mut connection, _) = door.accept().await.unwrap();
    let port = door.local_addr().unwrap().port();
    let info = json!({
        "server_id": "planted", "version": "2.14.0", "proto": 1, "host": "127.0.0.1", "port": port,
        "headers": true, "max_payload": 1_048_576, "auth_required": true, "nonce": "planted-nonce",
    });
    connection.write_all(format!("INFO {info}\r\n").as_bytes()).await.unwrap();
    let mut connection = BufReader::new(connection);
    let mut introduction = String::new();
    connection.read_line(&mut introduction).await.unwrap();
    (connection, introduction)
}

impl Example {
    fn start(mut command: Command, stage: &Stage, name: &str, url: &str) -> Self {
        let log = stage.broker_folder().with_file_name(format!("{name}.out"));
        for name in SETTINGS {
            let is_given = command.as_std().get_envs().any(|(given, _)| given == name);
            if !is_given {
                command.env_remove(name);
            }
        }
        command
            .env("NATS_URL", url)
            .env("NATS_DURABLE", DURABLE)
            .stdin(Stdio::null())
            .stdout(File::create_new(&log).unwrap())
            .stderr(File::create_new(log.with_extension("err")).unwrap())
            .kill_on_drop(true);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log }
    }

    fn printed(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits for the line of this end.
    async fn prints(&self, v: &Verification, outcome: &str) {
        let id = &v.id;
        let line = format!("{id} {outcome} {id}.process-finished");
        eventually(&format!("{line:?} is printed"), async || {
            let printed = self.printed();
            if printed.lines().any(|l| l == line) {
                return Ok(());
            }
            let complaints = fs::read_to_string(self.log.with_extension("err")).unwrap();
            Err(format!("{printed}\n{complaints}"))
        })
        .await;
    }

    async fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([format!("-{signal}"), pid]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Ends it without a warning.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to stop, as an operator would.
    async fn ends_when_asked(&mut self) {
        self.signal("TERM").await;
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        let complaints = fs::read_to_string(self.log.with_extension("err")).unwrap();
        assert!(ended.success(), "{ended}: {complaints}");
    }
}

/// What a subscriber had that died comes again after a second.
pub(crate) async fn set_short_ack_wait(stage: &Stage) {
    let config = pull::Config {
        durable_name: Some(DURABLE.to_owned()),
        filter_subjects: consumer(stage).await.config.filter_subjects,
        ack_wait: Duration::from_secs(1),
        max_ack_pending: 100_000,
        ..Default::default()
    };
    let jetstream = jetstream::new(stage.nats.clone());
    jetstream.update_consumer_on_stream(config, "VERIFICATIONS").await.unwrap();
}

/// Waits until the server says this of the durable.
pub(crate) async fn consumer_is(stage: &Stage, what: &str, is_so: impl Fn(&Info) -> bool) {
    eventually(&format!("the consumer is {what}"), async || {
        let info = consumer(stage).await;
        if is_so(&info) { Ok(()) } else { Err(format!("{info:?}")) }
    })
    .await;
}

async fn consumer(stage: &Stage) -> Info {
    let jetstream = jetstream::new(stage.nats.clone());
    let consumer = jetstream.get_consumer_from_stream(DURABLE, "VERIFICATIONS").await;
    let consumer: PullConsumer = consumer.unwrap();
    consumer.cached_info().clone()
}
