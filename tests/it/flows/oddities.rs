//! Where Assure's own examples deviate from Assure's own description, a row for each: our form is
//! mended, and what the provider said is kept as it came.

mod in_samples;
mod without_sample;

use serde_json::Value;

/// Checks what of Get process was kept, and what of our form was made of it.
#[track_caller]
fn survives(what: &str, result: &Value, kept: &[(&str, Value)], mended: &[(&str, Value)]) {
    for (place, value) in kept {
        let found = result["process"].pointer(place).unwrap_or(&Value::Null);
        assert_eq!(found, value, "{what}: process{place}");
        if let Some(place) = place.strip_prefix("/providerSpecific") {
            assert_eq!(result["provider_result"].pointer(place), Some(value), "{what}: {place}");
        }
    }
    for (place, value) in mended {
        assert_eq!(result.pointer(place), Some(value), "{what}: {place}");
    }
}
