//! The providers behind the API: ids always, export when there is somewhere to export to.

use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol, SpanExporter, WithExportConfig,
};
use opentelemetry_sdk::{
    Resource,
    metrics::{Aggregation, Instrument, InstrumentKind, SdkMeterProvider, Stream},
    trace::SdkTracerProvider,
};
use prometheus::Registry;

use super::Settings;
use crate::plan::VERSION;

/// Bounds of the buckets of durations, in seconds: those that the semantic conventions advise for
/// HTTP, and longer ones for what waits.
const SECONDS: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];

pub(super) fn resource(service_name: &'static str, settings: &Settings) -> Resource {
    let name = settings.service_name.clone().unwrap_or_else(|| service_name.to_owned());
    Resource::builder()
        .with_service_name(name)
        .with_attribute(KeyValue::new("service.version", VERSION))
        .build()
}

/// A provider without an exporter still gives every span its ids.
pub(super) fn tracer_provider(
    resource: Resource,
    settings: &Settings,
) -> (SdkTracerProvider, Option<String>) {
    let provider = SdkTracerProvider::builder().with_resource(resource);
    match settings.traces_endpoint.as_deref().map(span_exporter) {
        None => (provider.build(), None),
        Some(Ok(exporter)) => (provider.with_batch_exporter(exporter).build(), None),
        Some(Err(error)) => (provider.build(), Some(error.to_string())),
    }
}

pub(super) fn meter_provider(
    resource: Resource,
    settings: &Settings,
    registry: &Registry,
) -> (SdkMeterProvider, Option<String>) {
    let mut provider = SdkMeterProvider::builder().with_resource(resource).with_view(seconds);
    let mut fault = None;
    match opentelemetry_prometheus::exporter().with_registry(registry.clone()).build() {
        Ok(reader) => provider = provider.with_reader(reader),
        Err(error) => fault = Some(error.to_string()),
    }
    match settings.metrics_endpoint.as_deref().map(metric_exporter) {
        None => {}
        Some(Ok(exporter)) => provider = provider.with_periodic_exporter(exporter),
        Some(Err(error)) => fault = Some(error.to_string()),
    }
    (provider.build(), fault)
}

/// The SDK's own buckets are meant for milliseconds: in seconds all would fall into the first one.
fn seconds(instrument: &Instrument) -> Option<Stream> {
    let is_duration = instrument.kind() == InstrumentKind::Histogram && instrument.unit() == "s";
    let aggregation =
        Aggregation::ExplicitBucketHistogram { boundaries: SECONDS.to_vec(), record_min_max: true };
    let stream = is_duration.then(|| Stream::builder().with_aggregation(aggregation).build());
    stream?.ok()
}

fn span_exporter(endpoint: &str) -> Result<SpanExporter, ExporterBuildError> {
    SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .build()
}

fn metric_exporter(endpoint: &str) -> Result<MetricExporter, ExporterBuildError> {
    MetricExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .build()
}
