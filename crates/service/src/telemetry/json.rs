//! Log lines as JSON, with the ids that join them to a trace, without those that only repeat.
//!
//! What `tracing-subscriber` brings for this reads the fields of a span again for each one that is
//! recorded later and for each line within it: a sixth of the CPU time of a callback. Here they are
//! the inside of a JSON object, to be appended to and copied.

use std::{
    fmt::{self, Write as _},
    time::Instant,
};

use opentelemetry::{Context, trace::TraceContextExt};
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::Record,
};
use tracing_log::NormalizeEvent;
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use super::repeats::Repeats;

/// A line for each event: with `trace_id` and `span_id` in front when the current span has a context,
/// with `left_out` when lines like it were, and with the spans around it, the outermost first.
#[derive(Default)]
pub(super) struct JsonWithTrace {
    repeats: Repeats,
}

impl<S> FormatEvent<S, Members> for JsonWithTrace
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, Members>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(left_out) = self.repeats.tell(event.metadata(), Instant::now()) else {
            return Ok(());
        };
        // Of a line that came from the crate `log`.
        let normalised = event.normalized_metadata();
        let metadata = normalised.as_ref().unwrap_or_else(|| event.metadata());
        line.write_char('{')?;
        // Not `tracing::Span::current()`: inside a subscriber it may be empty, whereas the tracing
        // layer makes this one current on entering a span.
        let context = Context::current();
        let span = context.span();
        let ids = span.span_context();
        if ids.is_valid() {
            let (trace, span) = (ids.trace_id(), ids.span_id());
            write!(line, r#""trace_id":"{trace}","span_id":"{span}","#)?;
        }
        if left_out > 0 {
            write!(line, r#""left_out":{left_out},"#)?;
        }
        line.write_str(r#""timestamp":""#)?;
        SystemTime.format_time(&mut line)?;
        write!(line, r#"","level":"{}""#, metadata.level())?;
        write_members(&mut line, event, false, "")?;
        write!(line, r#","target":"{}""#, metadata.target())?;
        if let Some(scope) = ctx.event_scope() {
            line.write_str(r#","spans":["#)?;
            for (place, span) in scope.from_root().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                write!(line, r#"{comma}{{"name":"{}""#, span.name())?;
                let extensions = span.extensions();
                let members = extensions.get::<FormattedFields<Members>>();
                if let Some(members) = members.filter(|members| !members.is_empty()) {
                    write!(line, ",{members}")?;
                }
                line.write_char('}')?;
            }
            line.write_char(']')?;
        }
        line.write_str("}\n")
    }
}

/// Fields as the inside of a JSON object.
#[derive(Debug)]
pub(super) struct Members;

impl<'a> FormatFields<'a> for Members {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'a>, fields: R) -> fmt::Result {
        write_members(&mut writer, fields, true, "").map(drop)
    }

    fn add_fields(
        &self,
        current: &'a mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let known = current.fields.clone();
        if write_members(&mut current.as_writer(), fields, known.is_empty(), &known)? {
            // Recorded twice, which is rare: the last counts, and no object has a member twice.
            let object = format!("{{{}}}", current.fields);
            let merged: Map<String, Value> =
                serde_json::from_str(&object).map_err(|_| fmt::Error)?;
            let merged = Value::Object(merged).to_string();
            current.fields = merged[1..merged.len() - 1].to_owned();
        }
        Ok(())
    }
}

/// Whether one of them is among those that are known already.
fn write_members(
    out: &mut Writer<'_>,
    fields: impl RecordFields,
    is_first: bool,
    known: &str,
) -> Result<bool, fmt::Error> {
    let mut members = Writing { out, is_first, known, is_known: false, result: Ok(()) };
    fields.record(&mut members);
    members.result.map(|()| members.is_known)
}

struct Writing<'a, 'w> {
    out: &'a mut Writer<'w>,
    is_first: bool,
    known: &'a str,
    is_known: bool,
    result: fmt::Result,
}

impl Writing<'_, '_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_err() {
            return;
        }
        let comma = if self.is_first { "" } else { "," };
        self.is_first = false;
        self.is_known |=
            !self.known.is_empty() && self.known.contains(&format!(r#""{}":"#, field.name()));
        self.result =
            write!(self.out, r#"{comma}"{}":"#, field.name()).and_then(|()| value(self.out));
    }
}

impl Visit for Writing<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, |out| {
            let mut text = String::new();
            write!(text, "{value:?}")?;
            write_text(out, &text)
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, |out| write_text(out, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, |out| write!(out, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, |out| write!(out, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |out| write!(out, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // What is no number in JSON is `null`.
        self.write(field, |out| write!(out, "{}", Value::from(value)));
    }
}

/// As a JSON text.
fn write_text(out: &mut Writer<'_>, text: &str) -> fmt::Result {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        return write!(out, r#""{text}""#);
    }
    out.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::{info, info_span, warn};
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    use tracing_subscriber::layer::SubscriberExt;

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
            .fmt_fields(Members)
            .event_format(JsonWithTrace::default())
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

    #[test]
    fn whatever_a_field_holds_the_line_is_json() {
        let text = "\u{1}\"quoted\"\\ \n ünïcode \u{2028}";
        let lines = logged(|| {
            let span = info_span!("outer", text, later = tracing::field::Empty);
            let _entered = span.enter();
            span.record("later", "at first");
            span.record("later", text);
            let _inner = info_span!("inner").entered();
            info!(text, number = -1.5, nan = f64::NAN, debug = ?Some(text), is = true, "{text}");
        });
        let line = &lines[0];
        for told in [&line["text"], &line["message"]] {
            assert_eq!(told, text);
        }
        assert_eq!(line["debug"], format!("{:?}", Some(text)));
        assert_eq!((&line["number"], &line["nan"]), (&Value::from(-1.5), &Value::Null));
        assert_eq!(line["is"], true);
        let outer = serde_json::json!({ "name": "outer", "text": text, "later": text });
        assert_eq!(line["spans"], serde_json::json!([outer, { "name": "inner" }]));
    }
}
