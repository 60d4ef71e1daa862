use axum::{body::Body, http::StatusCode, routing::get};
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry_sdk::{
    metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider, data::*},
    trace::{InMemorySpanExporter, SdkTracerProvider, SpanData},
};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

use super::*;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TOKEN: &str = "a-secret-token";

fn router() -> Router {
    let inner = Router::new().route("/{token}", get(|| async { "ok" }).post(failing));
    traced(Router::new().nest("/return", inner), Callers::Known)
}

async fn failing() -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

fn request(method: &str, path: &str) -> Request {
    let request = Request::builder().method(method).uri(path).header("traceparent", TRACEPARENT);
    request.body(Body::empty()).unwrap()
}

async fn spans_of(requests: impl IntoIterator<Item = Request>) -> Vec<SpanData> {
    spans_of_router(router(), requests).await
}

async fn spans_of_router(
    router: Router,
    requests: impl IntoIterator<Item = Request>,
) -> Vec<SpanData> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    for request in requests {
        router.clone().oneshot(request).await.unwrap();
    }
    exporter.get_finished_spans().unwrap()
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string())
}

#[tokio::test]
async fn a_span_has_the_route_the_status_and_the_callers_trace() {
    let spans = spans_of([request("GET", &format!("/return/{TOKEN}"))]).await;

    let [span] = spans.as_slice() else { panic!("one span, not {}", spans.len()) };
    assert_eq!(span.name, "GET /return/{token}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(attribute(span, "http.route").unwrap(), "/return/{token}");
    assert_eq!(attribute(span, "http.request.method").unwrap(), "GET");
    assert_eq!(attribute(span, "http.response.status_code").unwrap(), "200");
    assert_eq!(span.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331");
}

#[tokio::test]
async fn a_strangers_trace_is_linked_and_not_gone_on_with() {
    let router =
        traced(Router::new().route("/return/{token}", get(|| async { "ok" })), Callers::Strangers);
    let spans = spans_of_router(router, [request("GET", &format!("/return/{TOKEN}"))]).await;

    let [span] = spans.as_slice() else { panic!("one span, not {}", spans.len()) };
    assert_ne!(span.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span.parent_span_id.to_string(), "0000000000000000");
    let linked: Vec<_> = span.links.iter().map(|link| link.span_context.span_id()).collect();
    assert_eq!(linked.iter().map(ToString::to_string).collect::<Vec<_>>(), ["b7ad6b7169203331"]);
}

#[tokio::test]
async fn a_server_error_is_an_error_of_the_span_and_a_clients_is_not() {
    let path = format!("/return/{TOKEN}");
    let spans = spans_of([request("POST", &path), request("PUT", &path)]).await;
    assert!(matches!(spans[0].status, Status::Error { .. }), "{:?}", spans[0].status);
    assert_eq!(attribute(&spans[0], "error.type").unwrap(), "503");
    assert_eq!(attribute(&spans[1], "http.response.status_code").unwrap(), "405");
    assert_eq!(spans[1].status, Status::Unset);
}

#[tokio::test]
async fn neither_a_path_nor_an_invented_method_is_recorded() {
    let unmatched = format!("/nowhere/{TOKEN}");
    let spans = spans_of([
        request("GET", &format!("/return/{TOKEN}?q={TOKEN}")),
        request("BREW", &unmatched),
    ])
    .await;
    assert_eq!(spans[1].name, "_OTHER");
    assert_eq!(attribute(&spans[1], "http.route"), None);
    assert!(!format!("{spans:?}").contains(TOKEN));
}

#[tokio::test]
async fn the_duration_is_measured_by_method_route_and_status() {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    global::set_meter_provider(provider.clone());

    router().oneshot(request("GET", &format!("/return/{TOKEN}"))).await.unwrap();

    provider.force_flush().unwrap();
    let metrics = exporter.get_finished_metrics().unwrap();
    let all = metrics.iter().flat_map(ResourceMetrics::scope_metrics);
    let metric = all
        .flat_map(ScopeMetrics::metrics)
        .find(|metric| metric.name() == "http.server.request.duration")
        .unwrap();
    assert_eq!(metric.unit(), "s");
    let AggregatedMetrics::F64(MetricData::Histogram(histogram)) = metric.data() else {
        panic!("must be a histogram of seconds")
    };
    let labels: Vec<String> = histogram
        .data_points()
        .flat_map(HistogramDataPoint::attributes)
        .map(|label| format!("{}={}", label.key, label.value))
        .collect();
    for label in
        ["http.request.method=GET", "http.route=/return/{token}", "http.response.status_code=200"]
    {
        assert!(labels.iter().any(|found| found == label), "{label} is not in {labels:?}");
    }
}
