//! What Assure answers, handed to what reads it. `fuzz/` calls these too.

use std::time::Duration;

use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::{Process, Refusal, pace, wire};

/// A body, as each kind of answer.
pub fn answer(body: &[u8]) {
    fn read<T: DeserializeOwned>(body: &[u8]) {
        drop(serde_json::from_slice::<T>(body));
    }
    read::<wire::Dossier>(body);
    read::<wire::DossierDetails>(body);
    read::<wire::ProcessCreated>(body);
    read::<wire::CaptureStarted>(body);
    read::<wire::ProcessStatus>(body);
    read::<wire::ProcessList>(body);
    read::<wire::Token>(body);
    if let Ok(answer) = serde_json::from_slice(body)
        && let Some(process) = Process::from_answer(answer)
    {
        assert!((1..=64).contains(&process.status.len()));
    }
    if let Ok(error) = serde_json::from_slice::<wire::ErrorBody>(body) {
        let refusal = Refusal::new(422, error);
        // Assure's sentences may quote a person's data: they are the caller's alone.
        let shown = format!("{refusal:?} {refusal}");
        for text in [&refusal.title, &refusal.detail].into_iter().flatten() {
            assert!(text.len() < 16 || !shown.contains(text.as_str()));
        }
    }
}

/// The value of `Retry-After`.
pub fn retry_after(header: &str) {
    let wait = pace::retry_after(Some(header), OffsetDateTime::UNIX_EPOCH, Duration::from_secs(2));
    assert!((1..=24 * 60 * 60).contains(&wait.as_secs()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn whatever_assure_answers_nothing_panics_and_no_sentence_is_shown(
            bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,90}",
            number in any::<f64>(), header in "\\PC{0,40}", seconds in any::<u64>(),
        ) {
            answer(&bytes);
            for name in ["id", "status", "title", "detail", "data", "processes", "access_token"] {
                answer(json!({ name: text, "traceId": text, "title": text }).to_string().as_bytes());
                answer(json!({ name: number, "expires_in": number }).to_string().as_bytes());
                answer(json!({ name: [{ "id": text, "status": number }] }).to_string().as_bytes());
            }
            retry_after(&header);
            retry_after(&seconds.to_string());
        }
    }
}
