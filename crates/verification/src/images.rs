//! The images of a verification, as far as its log knows them.

use proofline_events::{
    Word, from_timestamp, timestamp,
    v1::{Depiction, ImageStanding, ImageState, UploadClaim},
};
use time::OffsetDateTime;

/// All depictions and what is known of each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Images(Vec<Image>);

/// What is known of one depiction.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Which.
    pub depiction: Depiction,
    /// What Assure holds, apart from an upload under way.
    pub standing: ImageStanding,
    /// The upload under way: its id, and until when it holds the depiction.
    pub claim: Option<(String, OffsetDateTime)>,
}

impl Image {
    fn absent(depiction: Depiction) -> Self {
        Self { depiction, standing: ImageStanding::Absent, claim: None }
    }

    /// Whether an upload holds the depiction now.
    pub fn is_claimed(&self, now: OffsetDateTime) -> bool {
        self.claim.as_ref().is_some_and(|(_, until)| now < *until)
    }

    /// Whether this upload was the last to take the depiction, and has not reported.
    pub(crate) fn is_claim_of(&self, upload_id: &str) -> bool {
        self.claim.as_ref().is_some_and(|(id, _)| id == upload_id)
    }

    /// What Assure holds. An upload that never reported may or may not have got through.
    pub fn standing(&self, now: OffsetDateTime) -> ImageStanding {
        if self.claim.is_some() && !self.is_claimed(now) {
            ImageStanding::Unknown
        } else {
            self.standing
        }
    }
}

impl Images {
    /// The state that an upload event carries.
    pub(crate) fn from_event(states: &[ImageState]) -> Self {
        let image = |state: &ImageState| Image {
            depiction: state.depiction(),
            standing: state.standing(),
            claim: state.claim.as_ref().map(|claim| {
                let until = claim.until.as_ref().and_then(from_timestamp);
                (claim.upload_id.clone(), until.unwrap_or(OffsetDateTime::UNIX_EPOCH))
            }),
        };
        Self(states.iter().map(image).collect())
    }

    /// The state to put into an upload event.
    pub(crate) fn to_event(&self) -> Vec<ImageState> {
        let state = |image: &Image| ImageState {
            depiction: image.depiction.into(),
            standing: image.standing.into(),
            claim: image.claim.as_ref().map(|(upload_id, until)| UploadClaim {
                upload_id: upload_id.clone(),
                until: Some(timestamp(*until)),
            }),
        };
        self.0.iter().map(state).collect()
    }

    /// What is known of one depiction.
    pub fn get(&self, depiction: Depiction) -> Image {
        let known = self.0.iter().find(|image| image.depiction == depiction);
        known.cloned().unwrap_or_else(|| Image::absent(depiction))
    }

    /// The same with one depiction's state replaced.
    pub(crate) fn with(&self, image: Image) -> Self {
        let replaced = |depiction: Depiction| {
            if depiction == image.depiction { image.clone() } else { self.get(depiction) }
        };
        let all = Depiction::ALL.iter().map(|depiction| replaced(*depiction));
        Self(all.filter(|image| *image != Image::absent(image.depiction)).collect())
    }

    /// The depictions Assure has for sure, in the order front, back, selfie.
    pub fn present(&self, now: OffsetDateTime) -> Vec<Depiction> {
        self.of_standing(ImageStanding::Present, now)
    }

    /// The depictions whose upload ended without a clear answer.
    pub(crate) fn unknown(&self, now: OffsetDateTime) -> Vec<Depiction> {
        self.of_standing(ImageStanding::Unknown, now)
    }

    /// The first depiction that an upload holds now.
    pub(crate) fn claimed(&self, now: OffsetDateTime) -> Option<Depiction> {
        Depiction::ALL.iter().copied().find(|depiction| self.get(*depiction).is_claimed(now))
    }

    fn of_standing(&self, standing: ImageStanding, now: OffsetDateTime) -> Vec<Depiction> {
        let all = Depiction::ALL.iter().copied();
        all.filter(|depiction| self.get(*depiction).standing(now) == standing).collect()
    }
}
