//! A simulator on a port of its own, a client with a token, a receiver of callbacks.

use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use assure_simulator::Settings;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, b'o', b'n', b'e'];
pub(crate) const OTHER_JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, b't', b'w', b'o'];
pub(crate) const PNG: &[u8] = &[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', 1];

/// Settings of a simulator that doesn't let tests wait.
pub(crate) fn quick() -> Settings {
    Settings {
        processing_time: Duration::from_millis(20),
        callback_retry: Duration::from_millis(20),
        webhook_retry: Duration::from_millis(20),
        ..Settings::default()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null where there was no JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default(),
        }
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// A process in its dossier.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) dossier: String,
    pub(crate) id: String,
}

impl Process {
    pub(crate) fn path(&self) -> String {
        format!("/assure/dossiers/{}/processes/{}", self.dossier, self.id)
    }

    pub(crate) fn images(&self) -> String {
        format!("{}/images", self.path())
    }
}

pub(crate) struct Simulator {
    pub(crate) url: String,
    pub(crate) client: Client,
    token: String,
    serving: JoinHandle<anyhow::Result<()>>,
    stop: DropGuard,
}

impl Simulator {
    pub(crate) async fn start() -> Self {
        Self::start_with(quick()).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Self {
        install_crypto();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(assure_simulator::serve(listener, settings, stop.clone()));
        let mut simulator = Self {
            url,
            client: Client::builder().redirect(Policy::none()).timeout(PATIENCE).build().unwrap(),
            token: String::new(),
            serving,
            stop: stop.drop_guard(),
        };
        simulator.renew_token().await;
        simulator
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        timeout(PATIENCE, self.serving).await.expect("it did not stop").unwrap()
    }

    pub(crate) async fn renew_token(&mut self) {
        let token = self.ask_token("simulator", "simulator-secret", VALID_FORM).await.is(200);
        self.token = token["access_token"].as_str().unwrap().to_owned();
    }

    pub(crate) async fn ask_token(&self, id: &str, secret: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.client.post(format!("{}/auth/open/connect/token", self.url));
        let response = request.basic_auth(id, Some(secret)).form(form).send().await;
        Answer::of(response.unwrap()).await
    }

    /// A call with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::PUT, path).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn dossier(&self) -> String {
        let dossier = self.post("/assure/dossiers", json!({})).await.is(201);
        dossier["dossierId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn process(&self, body: Value) -> Process {
        let dossier = self.dossier().await;
        self.process_in(dossier, body).await
    }

    pub(crate) async fn process_in(&self, dossier: String, body: Value) -> Process {
        let path = format!("/assure/dossiers/{dossier}/processes");
        let process = self.post(&path, body).await.is(201);
        let id = process["processId"].as_str().unwrap().to_owned();
        Process { dossier, id }
    }

    /// An Onfido process for a document alone, its front uploaded.
    pub(crate) async fn process_with_front(&self, more: Value) -> Process {
        let process = self.process(document(more)).await;
        let images = json!({"front": data_url(JPEG)});
        self.post(&process.images(), images).await.is(201);
        process
    }

    /// The same, verification started.
    pub(crate) async fn started(&self, more: Value) -> Process {
        let process = self.process_with_front(more).await;
        self.post(&process.path(), json!({})).await.is(200);
        process
    }

    /// Get process, once it shows the status.
    pub(crate) async fn reaches(&self, process: &Process, status: &str) -> Value {
        eventually(async || {
            let body = self.get(&process.path()).await.is(200);
            if body["status"] == status { Ok(body) } else { Err(body) }
        })
        .await
    }

    /// The admin API's view of a process.
    pub(crate) async fn state_of(&self, process: &Process) -> Value {
        let state = self.get("/simulator/state").await.is(200);
        let dossiers = state["dossiers"].as_array().unwrap();
        let processes = dossiers.iter().flat_map(|d| d["processes"].as_array().unwrap());
        processes.into_iter().find(|p| p["processId"] == process.id.as_str()).unwrap().clone()
    }
}

pub(crate) const VALID_FORM: &[(&str, &str)] =
    &[("grant_type", "client_credentials"), ("scope", "signicat-api")];

/// Create process for a document alone, with more members.
pub(crate) fn document(more: Value) -> Value {
    let mut body = json!({
        "provider": "onfido", "processType": "document", "documentType": "identityCard",
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

pub(crate) fn data_url(bytes: &[u8]) -> String {
    let kind = if bytes.starts_with(PNG) { "png" } else { "jpeg" };
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}

/// Asks until the answer is `Ok`.
pub(crate) async fn eventually<T>(mut ask: impl AsyncFnMut() -> Result<T, Value>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut pace = interval(Duration::from_millis(5));
    loop {
        pace.tick().await;
        match ask().await {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "last seen: {seen}"),
        }
    }
}

/// A callback or an event as it came in.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) headers: HeaderMap,
    /// As it was signed.
    pub(crate) bytes: Bytes,
    pub(crate) body: Value,
}

/// Answers with the given statuses in turn, then always 200.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: mpsc::UnboundedReceiver<Received>,
}

type Shared = (mpsc::UnboundedSender<Received>, Arc<Mutex<Vec<u16>>>);

impl Receiver {
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/callbacks/secret", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let statuses: Vec<u16> = statuses.iter().rev().copied().collect();
        let shared: Shared = (sender, Arc::new(Mutex::new(statuses)));
        let router = axum::Router::new().fallback(receive).with_state(shared);
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, received }
    }

    pub(crate) async fn next(&mut self) -> Received {
        timeout(PATIENCE, self.received.recv()).await.expect("no callback came").unwrap()
    }

    /// How many came that nobody asked for yet.
    pub(crate) fn waiting(&self) -> usize {
        self.received.len()
    }
}

async fn receive(
    State((sender, statuses)): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    let text = |name| headers.get(name).map(|v| v.to_str().unwrap().to_owned());
    let (authorization, content_type) = (text("authorization"), text("content-type"));
    let received = Received {
        authorization,
        content_type,
        body: serde_json::from_slice(&body).unwrap(),
        headers,
        bytes: body,
    };
    // The test may have ended.
    let _ = sender.send(received);
    let status = statuses.lock().unwrap().pop().unwrap_or(200);
    (StatusCode::from_u16(status).unwrap(), [("retry-after", "1")])
}

fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
    });
}
