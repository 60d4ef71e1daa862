//! An image's first bytes, in chunks of as many bytes as the first one says.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((chunk, image)) = bytes.split_first() {
        proofline_upload::fuzzing::image(image, usize::from(*chunk));
    }
});
