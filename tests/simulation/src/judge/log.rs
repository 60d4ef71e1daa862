//! The log of one verification, as the leader has it.

use proofline_events::{
    Event, EventType, Recorded, VerificationKey, from_timestamp,
    v1::{
        CompletionSignalled, Depiction, ImageUploaded, SubmissionRequested, VerificationRequested,
    },
};
use time::OffsetDateTime;

#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: Vec<Recorded>,
}

impl Log {
    pub(crate) fn all(&self, event: EventType) -> impl Iterator<Item = &Recorded> {
        self.events.iter().filter(move |recorded| recorded.event.event_type() == event)
    }

    pub(crate) fn has(&self, event: EventType) -> bool {
        self.all(event).next().is_some()
    }

    pub(crate) fn request(&self) -> Option<&VerificationRequested> {
        self.events.iter().find_map(|recorded| {
            let Event::VerificationRequested(request) = &recorded.event else { return None };
            Some(request)
        })
    }

    pub(crate) fn key(&self) -> Option<&VerificationKey> {
        self.events.first().map(|recorded| &recorded.key)
    }

    /// Whether the caller has canceled it, or wants it gone.
    pub(crate) fn is_discarded(&self) -> bool {
        self.has(EventType::CancellationRequested) || self.has(EventType::ErasureRequested)
    }

    /// Why it could not be set up.
    pub(crate) fn setup_failure(&self) -> Option<&str> {
        self.events.iter().find_map(|recorded| {
            let Event::SetupFailed(failed) = &recorded.event else { return None };
            Some(failed.reason_code.as_str())
        })
    }

    pub(crate) fn expires_at(&self) -> Option<OffsetDateTime> {
        self.request()?.expires_at.as_ref().and_then(from_timestamp)
    }

    /// Whether it is in this dossier.
    pub(crate) fn uses(&self, dossier: &str) -> bool {
        self.events.iter().any(|recorded| {
            let Event::DossierCreated(created) = &recorded.event else { return false };
            created.dossier_id == dossier
        })
    }

    /// The process that was created for it, where one is known.
    pub(crate) fn process(&self) -> Option<&str> {
        self.events.iter().find_map(|recorded| {
            let Event::ProcessCreated(created) = &recorded.event else { return None };
            Some(created.process_id.as_str())
        })
    }

    /// Its submission, and the sequence of that.
    pub(crate) fn submission(&self) -> Option<(u64, &SubmissionRequested)> {
        self.events.iter().find_map(|recorded| {
            let Event::SubmissionRequested(submitted) = &recorded.event else { return None };
            Some((recorded.sequence, submitted))
        })
    }

    pub(crate) fn signals(&self) -> impl Iterator<Item = &CompletionSignalled> {
        self.events.iter().filter_map(|recorded| {
            let Event::CompletionSignalled(signal) = &recorded.event else { return None };
            Some(signal)
        })
    }

    pub(crate) fn images(&self) -> impl DoubleEndedIterator<Item = (u64, &ImageUploaded)> {
        self.events.iter().filter_map(|recorded| {
            let Event::ImageUploaded(image) = &recorded.event else { return None };
            Some((recorded.sequence, image))
        })
    }

    /// The size of the last image of a depiction that was reported before a sequence.
    pub(crate) fn size_before(&self, depiction: Depiction, sequence: u64) -> Option<u64> {
        let before = self.images().filter(|(at, _)| *at < sequence);
        let of_it = before.map(|(_, image)| image).filter(|i| i.depiction() == depiction);
        of_it.map(|image| image.size_bytes).next_back()
    }
}
