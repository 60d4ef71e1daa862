//! The value of Retry-After.

#![no_main]

libfuzzer_sys::fuzz_target!(|header: &str| {
    proofline_assure::fuzzing::retry_after(header);
});
