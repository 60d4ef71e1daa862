//! A message on the bus: subject, headers and payload, apart by zero bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut text = || std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let (subject, headers) = (text(), text());
    proofline_events::fuzzing::message(subject, headers, parts.next().unwrap_or_default());
});
