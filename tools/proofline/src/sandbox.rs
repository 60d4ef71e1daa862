//! Everything in one process: a nats-server, the simulator and the five services, on loopback.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use proofline_broker::{Options, Server};
use proofline_service::{Shutdown, telemetry};
use proofline_settings::{ExposeSecret, Reader, Source};
use tokio::{
    task::JoinSet,
    time::{Instant, interval},
};

use crate::provision;

/// The tenant of a sandbox, and its API key.
pub(crate) const TENANT: &str = "demo";
pub(crate) const API_KEY: &str = "demo-key";
/// The subscriber of that tenant.
pub(crate) const SUBSCRIBER: &str = "demo-subscriber";

const TENANTS: &str = r#"# The tenant of a sandbox: its API key is "demo-key".
[tenants.demo]
api_key_sha256 = ["HASH"]
web_origins = ["http://127.0.0.1:3000", "http://localhost:3000"]
subscribers = ["subscriber"]
"#;
/// SHA-256 of "demo-key".
const API_KEY_SHA256: &str = "c48a01f49fd0f2cc404bc3cbbc80e91457a3d41bb429a695243de4c61794155c";

/// How long all parts together may take to get ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Where each part listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    nats: u16,
    simulator: u16,
    intake: u16,
    upload: u16,
    callbacks: u16,
    admin: [u16; 5],
}

/// How a sandbox is started.
pub(crate) struct Start {
    /// Where its data is.
    pub(crate) data: PathBuf,
    /// Free ports instead of the usual ones.
    pub(crate) free_ports: bool,
    /// Settings that the environment overrides.
    pub(crate) defaults: Source,
}

/// A running sandbox.
pub(crate) struct Sandbox {
    /// Where its intake is.
    pub(crate) api_url: String,
    /// Where its upload is.
    pub(crate) upload_url: String,
    /// Where its NATS is.
    pub(crate) nats_url: String,
    /// Where its simulator is, unless Assure is given.
    pub(crate) simulator_url: Option<String>,
    /// Where /readyz of each service is.
    admin: Vec<SocketAddr>,
    shutdown: Shutdown,
    parts: JoinSet<anyhow::Result<()>>,
    server: Option<Server>,
    _telemetry: telemetry::Guard,
}

impl Sandbox {
    /// Starts everything and waits until all of it is ready.
    pub(crate) async fn start(start: Start) -> anyhow::Result<Self> {
        let Start { data, free_ports, defaults } = start;
        std::fs::create_dir_all(&data)
            .with_context(|| format!("cannot make {}", data.display()))?;
        let environment = Source::from_env().or(defaults);
        let telemetry =
            telemetry::init("proofline-dev", &read(&environment, telemetry::Settings::read)?);
        let ports = if free_ports { Ports::free()? } else { Ports::USUAL };
        let given_nats = environment.get("PROOFLINE_NATS_URL").is_some();
        let given_assure = environment.get("ASSURE_BASE_URL").is_some();

        let server = match given_nats {
            true => None,
            false => {
                let options = Options {
                    dir: data.join("nats"),
                    port: Some(ports.nats),
                    ..Options::default()
                };
                Some(Server::start(options).await.context("cannot start the nats-server")?)
            }
        };
        let source = environment.or(own_defaults(&data, ports, given_assure)?);
        provision::from(&source, provision::Leave::default()).await.context("cannot provision")?;

        let shutdown = Shutdown::new();
        let mut parts = JoinSet::new();
        if !given_assure {
            let listener = tokio::net::TcpListener::bind(loopback(ports.simulator)).await;
            let listener = listener.context("cannot listen for the simulator")?;
            let settings = read(&source, assure_simulator::Settings::read)?;
            parts.spawn(assure_simulator::serve(listener, settings, shutdown.clone()));
        }
        spawn_services(&mut parts, &source, ports, &shutdown)?;

        let mut sandbox = Self {
            api_url: text(&source, "PROOFLINE_API_URL")?,
            upload_url: text(&source, "PROOFLINE_UPLOAD_URL")?,
            nats_url: text(&source, "PROOFLINE_NATS_URL")?,
            simulator_url: (!given_assure).then(|| format!("http://{}", loopback(ports.simulator))),
            admin: ports.admin.into_iter().map(loopback).collect(),
            shutdown,
            parts,
            server,
            _telemetry: telemetry,
        };
        sandbox.wait_until_ready().await?;
        Ok(sandbox)
    }

    /// Waits for a part to end, which none does by itself.
    pub(crate) async fn broken(&mut self) -> anyhow::Error {
        match self.parts.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("a part ended by itself"),
            Some(Err(error)) => error.into(),
        }
    }

    /// Stops all parts, then the nats-server.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        while let Some(ended) = self.parts.join_next().await {
            ended??;
        }
        if let Some(server) = &mut self.server {
            server.stop().await?;
        }
        Ok(())
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
        let until = Instant::now() + READY_WITHIN;
        let mut tick = interval(Duration::from_millis(25));
        for address in self.admin.clone() {
            loop {
                tokio::select! {
                    _ = tick.tick() => {}
                    error = self.broken() => return Err(error),
                }
                let answer = http.get(format!("http://{address}/readyz")).send().await;
                if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                if Instant::now() > until {
                    let reasons = match answer {
                        Ok(answer) => answer.text().await.unwrap_or_default(),
                        Err(_) => "no answer".to_owned(),
                    };
                    bail!("not ready in time: {address}: {reasons}");
                }
            }
        }
        Ok(())
    }
}

fn spawn_services(
    parts: &mut JoinSet<anyhow::Result<()>>,
    source: &Source,
    ports: Ports,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let [intake, upload, callbacks, verifier, normaliser] = ports.admin;
    let of = |public: Option<u16>, admin: u16| {
        // Each service has addresses of its own here, whatever the environment says.
        let mut own = source.clone().with("PROOFLINE_ADMIN_LISTEN", loopback(admin).to_string());
        if let Some(port) = public {
            own = own.with("PROOFLINE_LISTEN", loopback(port).to_string());
        }
        own
    };
    let settings = read(&of(Some(ports.intake), intake), proofline_intake::Settings::read)?;
    parts.spawn(proofline_intake::run(settings, shutdown.clone()));
    let settings = read(&of(Some(ports.upload), upload), proofline_upload::Settings::read)?;
    parts.spawn(proofline_upload::run(settings, shutdown.clone()));
    let source_ = of(Some(ports.callbacks), callbacks);
    let settings = read(&source_, proofline_callback_receiver::Settings::read)?;
    parts.spawn(proofline_callback_receiver::run(settings, shutdown.clone()));
    let settings = read(&of(None, verifier), proofline_verifier::Settings::read)?;
    parts.spawn(proofline_verifier::run(settings, shutdown.clone()));
    let settings = read(&of(None, normaliser), proofline_result_normaliser::Settings::read)?;
    parts.spawn(proofline_result_normaliser::run(settings, shutdown.clone()));
    Ok(())
}

/// What the environment need not say.
fn own_defaults(data: &Path, ports: Ports, given_assure: bool) -> anyhow::Result<Source> {
    let url = |port| format!("http://{}", loopback(port));
    let tenants_file = data.join("tenants.toml");
    std::fs::write(&tenants_file, TENANTS.replace("HASH", API_KEY_SHA256))?;
    let mut pairs = vec![
        ("PROOFLINE_NATS_URL", format!("nats://{}", loopback(ports.nats))),
        ("PROOFLINE_TENANTS_FILE", tenants_file.display().to_string()),
        ("PROOFLINE_KEYS", keys(data)?),
        ("PROOFLINE_API_URL", url(ports.intake)),
        ("PROOFLINE_UPLOAD_URL", url(ports.upload)),
        ("PROOFLINE_PUBLIC_URL", url(ports.callbacks)),
    ];
    if !given_assure {
        let simulator = url(ports.simulator);
        let known = assure_simulator::Settings::default();
        pairs.extend([
            ("ASSURE_BASE_URL", format!("{simulator}/assure")),
            ("ASSURE_TOKEN_URL", format!("{simulator}/auth/open/connect/token")),
            ("ASSURE_CLIENT_ID", known.client_id),
            ("ASSURE_CLIENT_SECRET", known.client_secret.expose_secret().to_owned()),
        ]);
    }
    Ok(Source::from_pairs(pairs))
}

/// Keys that are made once, so that what one run sealed the next can open.
fn keys(data: &Path) -> anyhow::Result<String> {
    let file = data.join("keys");
    if let Ok(keys) = std::fs::read_to_string(&file) {
        return Ok(keys.trim().to_owned());
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).context("the system has no randomness")?;
    let keys = format!("dev:{}", STANDARD.encode(key));
    std::fs::write(&file, &keys)?;
    Ok(keys)
}

fn read<T>(source: &Source, read: fn(&mut Reader) -> Option<T>) -> anyhow::Result<T> {
    let mut reader = Reader::new(source);
    let value = read(&mut reader);
    Ok(reader.finish(value)?)
}

fn text(source: &Source, name: &str) -> anyhow::Result<String> {
    let value = source.get(name).and_then(|value| value.to_str());
    value.map(ToOwned::to_owned).with_context(|| format!("{name} is not text"))
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

impl Ports {
    const USUAL: Self = Self {
        nats: 4222,
        simulator: 8090,
        intake: 8080,
        upload: 8081,
        callbacks: 8082,
        admin: [9080, 9081, 9082, 9083, 9084],
    };

    /// Ports that are free now. All are held until all are found, so that they differ.
    fn free() -> anyhow::Result<Self> {
        let mut held = Vec::new();
        let mut port = || -> anyhow::Result<u16> {
            let listener = TcpListener::bind(loopback(0))?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            Ok(port)
        };
        Ok(Self {
            nats: port()?,
            simulator: port()?,
            intake: port()?,
            upload: port()?,
            callbacks: port()?,
            admin: [port()?, port()?, port()?, port()?, port()?],
        })
    }
}
