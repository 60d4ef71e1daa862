//! Logs, traces and metrics of a process.
//!
//! Logs go to standard output; traces and metrics go over OTLP when an endpoint is set; metrics
//! are always there for `/metrics`. Without an endpoint spans still have ids, so that log lines can
//! be joined by `trace_id` across services. Nothing at the call sites depends on any of this.

pub mod context;
mod export;
mod json;
mod keys;
mod refusals;
mod repeats;
mod settings;

use std::{
    io::IsTerminal,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_sdk::{
    metrics::SdkMeterProvider, propagation::TraceContextPropagator, trace::SdkTracerProvider,
};
use prometheus::Registry;
use tracing::Subscriber;
use tracing_subscriber::{
    Layer, filter::Targets, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

pub use keys::keys_in_use;
pub use refusals::unauthentic;
pub use settings::Settings;

/// The libraries below us say little of use at `debug`, and some of them print headers there.
const QUIET: &str = "async_nats=warn,h2=info,hyper=info,hyper_util=info,opentelemetry=warn,\
    opentelemetry_sdk=warn,opentelemetry_otlp=warn,proofline::publish=off,reqwest=info,rustls=info,tower=info";
/// What becomes a span, whatever is logged. The exporter's own HTTP client must stay out of it.
const TRACED: &str = "info,h2=off,hyper=off,hyper_util=off,opentelemetry=off,reqwest=off";

static STARTED: AtomicBool = AtomicBool::new(false);
static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

/// The metrics of this process in Prometheus' form; empty until [`init`].
pub fn registry() -> &'static Registry {
    &REGISTRY
}

/// Starts telemetry for the whole process. Called once, by whoever owns the process; a later call
/// changes nothing. An exporter that cannot be built is a warning, never a reason not to serve.
pub fn init(service_name: &'static str, settings: &Settings) -> Guard {
    if STARTED.swap(true, Ordering::SeqCst) {
        return Guard { providers: None };
    }
    // The exporter's HTTP client needs it.
    crate::install_crypto_provider();
    let resource = export::resource(service_name, settings);
    let (tracer, trace_fault) = export::tracer_provider(resource.clone(), settings);
    let (meter, meter_fault) = export::meter_provider(resource, settings, registry());

    let traces = tracing_opentelemetry::layer()
        .with_tracer(tracer.tracer(service_name))
        .with_threads(false)
        // The same for all spans of a name; and when a span was entered and left, each time it was.
        .with_location(false)
        .with_tracked_inactivity(false)
        .with_filter(targets(TRACED));
    let subscriber = tracing_subscriber::registry().with(traces).with(logs(settings));
    // A test harness may have its own subscriber: then that one counts.
    let _ = subscriber.try_init();
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(tracer.clone());
    global::set_meter_provider(meter.clone());

    for fault in [trace_fault, meter_fault].into_iter().flatten() {
        tracing::warn!(error = fault, "telemetry is not exported");
    }
    Guard { providers: Some((tracer, meter)) }
}

fn logs<S>(settings: &Settings) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    // What the operator asks for comes last, so it wins over the quiet defaults.
    let filter = targets(&format!("{QUIET},{}", settings.log));
    if std::io::stdout().is_terminal() {
        return tracing_subscriber::fmt::layer().with_filter(filter).boxed();
    }
    tracing_subscriber::fmt::layer()
        .fmt_fields(json::Members)
        .event_format(json::JsonWithTrace::default())
        .with_filter(filter)
        .boxed()
}

fn targets(text: &str) -> Targets {
    text.parse().expect("the settings were checked, and the rest is ours")
}

/// Keeps telemetry alive; what is still in memory is sent when it goes.
#[derive(Debug)]
#[must_use = "telemetry is flushed when the guard is dropped"]
pub struct Guard {
    providers: Option<(SdkTracerProvider, SdkMeterProvider)>,
}

impl Guard {
    /// Sends what is still in memory, waiting no longer than `within`.
    pub fn flush(mut self, within: Duration) {
        self.stop(within);
    }

    fn stop(&mut self, within: Duration) {
        let Some((tracer, meter)) = self.providers.take() else {
            return;
        };
        // On a thread of its own: an exporter without an answer takes its own, longer time-outs.
        let (done, wait) = mpsc::channel::<()>();
        thread::spawn(move || {
            // Each logs its own failure; there is nobody left to tell.
            let _ = tracer.shutdown_with_timeout(within);
            let _ = meter.shutdown_with_timeout(within);
            drop(done);
        });
        let _ = wait.recv_timeout(within);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(5));
    }
}
