//! The text of a tenants file.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    proofline_tenants::fuzzing::file(text);
});
