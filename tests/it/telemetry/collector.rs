//! An OTLP receiver: takes what the services export over HTTP, and decodes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::ExportMetricsServiceRequest,
        trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    },
    common::v1::{AnyValue, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{Span, span::SpanKind, status::StatusCode as SpanStatus},
};
use prost::Message;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::harness::{SERVICES, Scene, eventually};

/// A span as it was exported.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    /// Trace and span.
    pub(super) links: Vec<(String, String)>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) is_error: bool,
    /// In nanoseconds.
    pub(super) began: u64,
}

#[derive(Default)]
struct Received {
    spans: Vec<Seen>,
    metrics: Vec<String>,
    /// Services that have exported metrics.
    measured: BTreeSet<String>,
    /// Each request's body, as it came.
    bodies: Vec<Bytes>,
}

/// A receiver that is listening.
pub(crate) struct Collector {
    pub(super) url: String,
    received: Arc<Mutex<Received>>,
    task: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn open() -> Self {
        let received = Arc::<Mutex<Received>>::default();
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(Arc::clone(&received));
        Self::serving(router, received).await
    }

    /// Takes requests and never answers.
    pub(super) async fn that_hangs() -> Self {
        let router = Router::new().fallback(async || pending::<StatusCode>().await);
        Self::serving(router, Arc::default()).await
    }

    async fn serving(router: Router, received: Arc<Mutex<Received>>) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, task }
    }

    /// A scene in which every service exports here, soon and all of it.
    pub(crate) fn collecting(&self, mut scene: Scene) -> Scene {
        for service in SERVICES {
            scene = scene
                .with(service, "OTEL_EXPORTER_OTLP_ENDPOINT", &self.url)
                .with(service, "OTEL_BSP_SCHEDULE_DELAY", 100)
                .with(service, "OTEL_METRIC_EXPORT_INTERVAL", 500);
        }
        scene
    }

    pub(super) fn spans(&self) -> Vec<Seen> {
        self.received.lock().unwrap().spans.clone()
    }

    /// Names of metrics.
    pub(super) fn metrics(&self) -> Vec<String> {
        self.received.lock().unwrap().metrics.clone()
    }

    /// Every byte of traces and metrics, of which each service must have exported both.
    pub(crate) fn everything(&self) -> Vec<u8> {
        let received = self.received.lock().unwrap();
        for service in SERVICES {
            let short = service.trim_start_matches("proofline-");
            assert!(received.spans.iter().any(|span| span.service == short), "no span of {short}");
            assert!(received.measured.contains(short), "no metric of {short}");
        }
        received.bodies.concat()
    }

    /// Waits until there are spans of which this can be made; else it says what it saw.
    pub(super) async fn when<T>(
        &self,
        what: &str,
        find: impl Fn(&[Seen]) -> Result<T, String>,
    ) -> T {
        eventually(what, async || find(&self.spans())).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn traces(State(received): State<Arc<Mutex<Received>>>, body: Bytes) -> Vec<u8> {
    received.lock().unwrap().bodies.push(body.clone());
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for of_resource in request.resource_spans {
        let service = name(of_resource.resource);
        let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        let seen = spans.map(|span| Seen::of(&service, span));
        received.lock().unwrap().spans.extend(seen);
    }
    ExportTraceServiceResponse::default().encode_to_vec()
}

async fn metrics(State(received): State<Arc<Mutex<Received>>>, body: Bytes) -> StatusCode {
    let mut received = received.lock().unwrap();
    received.bodies.push(body.clone());
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    for of_resource in request.resource_metrics {
        received.measured.insert(name(of_resource.resource));
        let metrics = of_resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
        received.metrics.extend(metrics.map(|metric| metric.name));
    }
    StatusCode::OK
}

/// Which service it is, by its short name.
fn name(resource: Option<Resource>) -> String {
    let name = &attributes(&resource.unwrap().attributes)["service.name"];
    name.trim_start_matches("proofline-").to_owned()
}

impl Seen {
    fn of(service: &str, span: Span) -> Self {
        Self {
            service: service.to_owned(),
            kind: span.kind(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            links: span.links.iter().map(|l| (hex(&l.trace_id), hex(&l.span_id))).collect(),
            attributes: attributes(&span.attributes),
            is_error: span.status.is_some_and(|status| status.code() == SpanStatus::Error),
            began: span.start_time_unix_nano,
            name: span.name,
        }
    }

    /// One of its attributes; empty for none.
    pub(super) fn says(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    all.iter()
        .map(|one| (one.key.clone(), one.value.as_ref().map_or_else(String::new, text)))
        .collect()
}

fn text(value: &AnyValue) -> String {
    match &value.value {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
