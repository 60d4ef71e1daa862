//! The providers behind the API: ids always, export when there is somewhere to export to.

use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol, SpanExporter, WithExportConfig,
};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use prometheus::Registry;

use super::Settings;
use crate::plan::VERSION;

pub(super) fn resource(service_name: &'static str, settings: &Settings) -> Resource {
    let name = settings.service_name.clone().unwrap_or_else(|| service_name.to_owned());
    Resource::builder()
        .with_service_name(name)
        .with_attribute(KeyValue::new("service.version", VERSION))
        .build()
}

/// A provider without an exporter still gives every span its ids. The sampler is that of the
/// standard variables, which the SDK reads; without them all of it.
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
    let mut provider = SdkMeterProvider::builder().with_resource(resource);
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
