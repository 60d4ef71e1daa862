//! Log lines as JSON, with the ids that join them to a trace, without those that only repeat.

use std::{fmt, time::Instant};

use opentelemetry::{Context, trace::TraceContextExt};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    registry::LookupSpan,
};

use super::repeats::Repeats;

/// The formatter of `tracing`, which has no option for trace ids, with `trace_id` and `span_id` in
/// front when the current span has a context, and with `left_out` when lines like it were.
pub(super) struct JsonWithTrace {
    format: Format<Json>,
    repeats: Repeats,
}

impl Default for JsonWithTrace {
    fn default() -> Self {
        // The list of spans has the current one at its end: no need to write that twice.
        let format = Format::default().json().flatten_event(true).with_current_span(false);
        Self { format, repeats: Repeats::default() }
    }
}

impl<S, N> FormatEvent<S, N> for JsonWithTrace
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(left_out) = self.repeats.tell(event.metadata(), Instant::now()) else {
            return Ok(());
        };
        let mut line = String::new();
        self.format.format_event(ctx, Writer::new(&mut line), event)?;
        // Not `tracing::Span::current()`: inside a subscriber it may be empty, whereas the tracing
        // layer makes this one current on entering a span.
        let context = Context::current();
        let span = context.span();
        let ids = span.span_context();
        let Some(rest) = line.strip_prefix('{') else { return writer.write_str(&line) };
        writer.write_char('{')?;
        if ids.is_valid() {
            let (trace, span) = (ids.trace_id(), ids.span_id());
            write!(writer, r#""trace_id":"{trace}","span_id":"{span}","#)?;
        }
        if left_out > 0 {
            write!(writer, r#""left_out":{left_out},"#)?;
        }
        writer.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use serde_json::Value;
    use tracing::{info, info_span, warn};
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    use tracing_subscriber::{fmt::format::JsonFields, layer::SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let captured = Captured::default();
        let writer = captured.clone();
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let logs = tracing_subscriber::fmt::layer()
            .event_format(JsonWithTrace::default())
            .fmt_fields(JsonFields::new())
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry()
            .with(tracing_opentelemetry::layer().with_tracer(tracer))
            .with(logs);
        tracing::subscriber::with_default(subscriber, work);
        let bytes = captured.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_within_a_span_carries_its_ids() {
        let mut expected = None;
        let lines = logged(|| {
            let span = info_span!("intake.submit", verification.id = "vrf_1");
            let _entered = span.enter();
            expected = Some(span.context().span().span_context().clone());
            info!(images = 2, "submitted");
        });
        let expected = expected.unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["trace_id"], expected.trace_id().to_string());
        assert_eq!(lines[0]["span_id"], expected.span_id().to_string());
        assert_eq!(lines[0]["message"], "submitted");
        assert_eq!(lines[0]["images"], 2);
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["spans"][0]["verification.id"], "vrf_1");
    }

    #[test]
    fn a_warning_that_repeats_is_left_out_and_nothing_else_is() {
        let lines = logged(|| {
            for number in 0..40 {
                info!(number, "a step");
                warn!(number, "something is away");
            }
            warn!("another thing is away");
        });
        let count = |message| lines.iter().filter(|line| line["message"] == message).count();
        assert_eq!(count("a step"), 40);
        assert_eq!(count("something is away"), 10);
        assert_eq!(count("another thing is away"), 1);
    }

    #[test]
    fn a_line_outside_any_span_is_json_all_the_same() {
        let lines = logged(|| info!("starting"));
        assert_eq!(lines[0]["message"], "starting");
        assert_eq!(lines[0].get("trace_id"), None);
    }
}
