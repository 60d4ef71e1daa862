//! The connection to NATS: its settings, and how it reports its fate.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_nats::{
    ConnectOptions, Event, ServerAddr, ServerError,
    jetstream::{self, context::ContextBuilder},
};
use opentelemetry::{global, metrics::Counter};
use proofline_settings::Reader;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::{
    bus::Bus,
    error::Error,
    fate::Fate,
    nats::{Answers, Nats},
    together::Together,
};

/// How long any request to NATS may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Where NATS is and who we are there.
#[derive(Debug, Clone)]
pub struct Settings {
    servers: Vec<ServerAddr>,
    login: Login,
    ca_file: Option<PathBuf>,
    inbox_prefix: String,
}

#[derive(Debug, Clone)]
enum Login {
    None,
    Password { user: String, password: SecretString },
    Credentials(PathBuf),
}

impl Settings {
    /// Reads `PROOFLINE_NATS_*`.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let servers = r.parsed(
            "PROOFLINE_NATS_URL",
            Some("nats://127.0.0.1:4222"),
            "comma-separated nats or tls URLs",
            "NATS servers.",
            |text| {
                text.split(',')
                    .map(|url| url.trim().parse::<ServerAddr>())
                    .collect::<Result<Vec<_>, _>>()
            },
        );
        let user = r.optional_text("PROOFLINE_NATS_USER", "NATS user.");
        let password = r.optional_secret("PROOFLINE_NATS_PASSWORD", "Password of the NATS user.");
        let credentials = r.optional_path(
            "PROOFLINE_NATS_CREDS_FILE",
            "NATS credentials file, instead of user and password.",
        );
        let ca_file = r.optional_path(
            "PROOFLINE_NATS_CA_FILE",
            "Certificate authority of the NATS servers, in PEM form.",
        );
        let inbox_prefix = r.optional_text(
            "PROOFLINE_NATS_INBOX_PREFIX",
            "Prefix of private replies; `_INBOX_<user>` with a user, else `_INBOX`; required with a credentials file.",
        );
        // Every setting is read before any is judged, so that all are described and all faults told.
        let (user, password, credentials) = (user?, password?, credentials?);
        let inbox_prefix = inbox_prefix?;
        let inbox_prefix = match (inbox_prefix, &user, &credentials) {
            (Some(prefix), _, _) => Some(prefix),
            (None, _, Some(_)) => {
                r.fault(
                    "PROOFLINE_NATS_INBOX_PREFIX",
                    "is required with PROOFLINE_NATS_CREDS_FILE",
                );
                None
            }
            (None, Some(user), None) => Some(format!("_INBOX_{user}")),
            (None, None, None) => Some("_INBOX".to_owned()),
        };
        let login = match (user, password, credentials) {
            (None, None, None) => Some(Login::None),
            (Some(user), Some(password), None) => Some(Login::Password { user, password }),
            (None, None, Some(path)) => Some(Login::Credentials(path)),
            (_, _, Some(_)) => {
                r.fault(
                    "PROOFLINE_NATS_CREDS_FILE",
                    "excludes PROOFLINE_NATS_USER and PROOFLINE_NATS_PASSWORD",
                );
                None
            }
            (Some(_), None, None) => {
                r.fault("PROOFLINE_NATS_PASSWORD", "is required with PROOFLINE_NATS_USER");
                None
            }
            (None, Some(_), None) => {
                r.fault("PROOFLINE_NATS_USER", "is required with PROOFLINE_NATS_PASSWORD");
                None
            }
        };
        Some(Self {
            servers: servers?,
            login: login?,
            ca_file: ca_file?,
            inbox_prefix: inbox_prefix?,
        })
    }
}

impl Settings {
    /// The same servers, for somebody without a login.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { login: Login::None, inbox_prefix: "_INBOX".to_owned(), ..self.clone() }
    }
}

/// A connection that keeps trying: it may be made before NATS is there, and outlives its absence.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(crate) bus: Arc<dyn Bus>,
    /// The same, with what only provisioning, counting and tools of operators ask for; not there
    /// over a model.
    nats: Option<Nats>,
}

impl Connection {
    /// Begins to connect as `name`, which NATS shows to its operators.
    ///
    /// # Errors
    /// When a credentials or certificate file can't be read. That NATS is away is no error.
    pub async fn open(settings: &Settings, name: &str) -> Result<Self, Error> {
        let fate = Fate::new();
        let (connected, connections) = watch::channel(0);
        REFUSALS.add(0, &[]);
        let mut options = ConnectOptions::new()
            .name(name)
            .custom_inbox_prefix(&settings.inbox_prefix)
            .retry_on_initial_connect()
            .request_timeout(Some(REQUEST_TIMEOUT))
            .ping_interval(Duration::from_secs(10))
            // The first attempt, numbered 1, at once.
            .reconnect_delay_callback(|attempt| {
                let failed = attempt.saturating_sub(1) as u64;
                Duration::from_millis((50 * failed).min(1000))
            })
            .event_callback(move |event| {
                fate.hear(&event);
                if matches!(event, Event::Connected) {
                    connected.send_modify(|connections| *connections += 1);
                }
                report(event)
            });
        options = match &settings.login {
            Login::None => options,
            Login::Password { user, password } => {
                options.user_and_password(user.clone(), password.expose_secret().to_owned())
            }
            Login::Credentials(path) => {
                options.credentials_file(path).await.map_err(|e| Error::Refused(e.to_string()))?
            }
        };
        if let Some(ca) = &settings.ca_file {
            options = options.add_root_certificates(ca.clone()).require_tls(true);
        }
        let client = options.connect(settings.servers.clone()).await.map_err(Error::unavailable)?;
        let jetstream = ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .ack_timeout(REQUEST_TIMEOUT)
            .build(client.clone());
        let answers = Answers::open(&client).await?;
        let nats = Nats { client, jetstream, answers, connections };
        Ok(Self { bus: Arc::new(nats.clone()), nats: Some(nats) })
    }

    /// A connection to what answers in the place of NATS: a model.
    pub fn over(bus: Arc<dyn Bus>) -> Self {
        Self { bus, nats: None }
    }

    /// The same, where publishes that wait together go as one. For whoever publishes to one stream.
    #[must_use]
    pub(crate) fn together(&self) -> Self {
        Self { bus: Arc::new(Together::over(Arc::clone(&self.bus))), nats: self.nats.clone() }
    }

    /// Whether NATS is connected now; the reason when not.
    ///
    /// # Errors
    /// A sentence for operators.
    pub fn is_connected(&self) -> Result<(), String> {
        if self.bus.is_connected() { Ok(()) } else { Err("NATS is not connected".to_owned()) }
    }

    /// JetStream as it is, for tools of operators: what a service needs has a name of its own here.
    ///
    /// # Errors
    /// [`Error::Refused`] over a model.
    pub fn jetstream(&self) -> Result<&jetstream::Context, Error> {
        Ok(&self.nats()?.jetstream)
    }

    pub(crate) fn nats(&self) -> Result<&Nats, Error> {
        self.nats.as_ref().ok_or_else(|| Error::Refused("this is no NATS but a model".to_owned()))
    }

    /// Ends the connection after what was sent has gone out.
    pub async fn close(&self) {
        if let Some(nats) = &self.nats
            && nats.client.drain().await.is_err()
        {
            tracing::debug!("the NATS connection was closed already");
        }
    }
}

static REFUSALS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("proofline")
        .u64_counter("proofline.nats.refusals")
        .with_unit("{refusal}")
        .with_description("What NATS refused, such as a publish without the permission for it")
        .build()
});

/// What NATS refuses for lack of permission is not an error at the call but a time-out; the reason
/// comes here.
async fn report(event: Event) {
    match event {
        Event::ServerError(
            error @ (ServerError::Other(_) | ServerError::AuthorizationViolation),
        ) => {
            REFUSALS.add(1, &[]);
            tracing::error!(reason = %error, "NATS refused");
        }
        Event::Connected => tracing::info!("NATS is connected"),
        Event::Disconnected => tracing::warn!("NATS is disconnected"),
        event @ (Event::ServerError(_)
        | Event::ClientError(_)
        | Event::LameDuckMode
        | Event::Draining
        | Event::Closed
        | Event::SlowConsumer(_)) => tracing::debug!(%event, "NATS connection"),
    }
}
