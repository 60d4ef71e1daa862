//! The settings of telemetry, the same for every process.

use proofline_settings::{Reader, Url};
use tracing_subscriber::filter::Targets;

const PROTOCOL: &str = "http/protobuf";

/// What to log, and where traces and metrics go.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Filter of log lines, in the syntax of `tracing_subscriber`'s [`Targets`].
    pub log: String,
    /// Where traces are posted; `None`: nowhere.
    pub traces_endpoint: Option<String>,
    /// Where metrics are posted; `None`: nowhere.
    pub metrics_endpoint: Option<String>,
    /// Overrides the name under which the process appears.
    pub service_name: Option<String>,
}

impl Settings {
    /// Reads and documents them.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let log = r.parsed(
            "PROOFLINE_LOG",
            Some("info"),
            "filter: level, or target=level, comma-separated",
            "What is logged. JSON lines on standard output, plain text when that is a terminal.",
            |text| {
                let text = text.replace(' ', "");
                match text.parse::<Targets>() {
                    Ok(_) => Ok(text),
                    Err(_) => Err("must be such as info or info,proofline_journal=debug"),
                }
            },
        );
        let endpoint = r.optional_parsed(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http or https URL",
            "Collector for traces and metrics; unset: none are exported. OpenTelemetry's other \
             variables count as in its specification: OTEL_EXPORTER_OTLP_HEADERS and _TIMEOUT, \
             OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_*, OTEL_METRIC_EXPORT_INTERVAL.",
            |text| collector(text).map(|url| url.as_str().trim_end_matches('/').to_owned()),
        );
        let traces = r.optional_parsed(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http or https URL",
            "Collector for traces, with its whole path; unset: the common one and /v1/traces.",
            |text| collector(text).map(String::from),
        );
        let metrics = r.optional_parsed(
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            "http or https URL",
            "Collector for metrics, with its whole path; unset: the common one and /v1/metrics.",
            |text| collector(text).map(String::from),
        );
        let protocol = r.text(
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            Some(PROTOCOL),
            "How they are exported; there is no other way here.",
        );
        let service_name = r.optional_text(
            "OTEL_SERVICE_NAME",
            "Name of this process in traces and metrics; unset: the program's name.",
        );

        let (endpoint, traces, metrics) = (endpoint?, traces?, metrics?);
        let settings = Self {
            log: log?,
            traces_endpoint: traces.or_else(|| Some(format!("{}/v1/traces", endpoint.as_ref()?))),
            metrics_endpoint: metrics.or_else(|| Some(format!("{}/v1/metrics", endpoint?))),
            service_name: service_name?,
        };
        let exports = settings.traces_endpoint.is_some() || settings.metrics_endpoint.is_some();
        // A cluster may set another protocol for everybody; it matters only where we export.
        if exports && protocol? != PROTOCOL {
            r.fault("OTEL_EXPORTER_OTLP_PROTOCOL", format!("must be {PROTOCOL}"));
            return None;
        }
        Some(settings)
    }
}

/// Never quoted: a collector's address may hold a key.
fn collector(text: &str) -> Result<Url, &'static str> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err("must be an http or https URL"),
    }
}

#[cfg(test)]
mod tests {
    use proofline_settings::{Faults, Source};

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Faults> {
        let mut reader = Reader::new(&Source::from_pairs(pairs.iter().copied()));
        let settings = Settings::read(&mut reader);
        reader.finish(settings)
    }

    #[test]
    fn nothing_is_exported_unless_an_endpoint_is_set() {
        let settings = read(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap();
        assert_eq!(settings.log, "info");
        assert_eq!((settings.traces_endpoint, settings.metrics_endpoint), (None, None));
    }

    #[test]
    fn each_signal_has_its_path_or_its_own_endpoint() {
        let settings = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/base/"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://metrics:4318/in"),
        ])
        .unwrap();
        let traces = settings.traces_endpoint.unwrap();
        assert_eq!(traces, "http://collector:4318/base/v1/traces");
        assert_eq!(settings.metrics_endpoint.unwrap(), "http://metrics:4318/in");
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let faults = read(&[
            ("PROOFLINE_LOG", "a=b=c=d"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ])
        .unwrap_err();
        assert_eq!(faults.iter().count(), 2);

        let faults = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ])
        .unwrap_err();
        assert_eq!(faults.iter().next().unwrap().name, "OTEL_EXPORTER_OTLP_PROTOCOL");
    }
}
