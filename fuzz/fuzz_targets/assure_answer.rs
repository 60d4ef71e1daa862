//! A body that Assure answers.

#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    proofline_assure::fuzzing::answer(body);
    proofline_result_normaliser::fuzzing::answer(body);
});
