//! Any event, typed.

use prost::Message;

use crate::{EventType, VerificationKey, ids::InvalidId, v1};

macro_rules! event {
    ($($variant:ident)*) => {
        /// Any event of Proofline.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event {
            $(#[doc = concat!("See `", stringify!($variant), "` in `proto/`.")] $variant(v1::$variant),)*
        }

        impl Event {
            /// Which event it is.
            pub fn event_type(&self) -> EventType {
                match self { $(Self::$variant(_) => EventType::$variant,)* }
            }

            /// The payload on the wire.
            pub fn encode(&self) -> Vec<u8> {
                match self { $(Self::$variant(message) => message.encode_to_vec(),)* }
            }

            /// Reads a payload.
            ///
            /// # Errors
            /// When the bytes are not a message of that event.
            pub fn decode(event: EventType, payload: &[u8]) -> Result<Self, prost::DecodeError> {
                Ok(match event { $(EventType::$variant => Self::$variant(v1::$variant::decode(payload)?),)* })
            }

            fn names(&self) -> (&str, &str) {
                match self { $(Self::$variant(m) => (&m.tenant, &m.verification_id),)* }
            }
        }

        $(impl From<v1::$variant> for Event {
            fn from(message: v1::$variant) -> Self { Self::$variant(message) }
        })*
    };
}

event! {
    VerificationRequested DossierCreated ProcessCreated SetupFailed UploadStarted ImageUploaded
    UploadFailed SubmissionRequested VerificationStarted StartRefused CancellationRequested
    CompletionSignalled ProcessFinished ErasureRequested DataErased
}

impl Event {
    /// The verification its payload names.
    ///
    /// # Errors
    /// When the payload's names have another form.
    pub fn key(&self) -> Result<VerificationKey, InvalidId> {
        let (tenant, id) = self.names();
        VerificationKey::parse(tenant, id)
    }

    /// What tells an event of an upload from others of the same kind and verification.
    pub fn repeat_id(&self) -> Option<String> {
        match self {
            Self::UploadStarted(e) => {
                // An upload that keeps its claim says so each time.
                let until = e.claimed_until.as_ref().map_or(0, |until| until.seconds);
                Some(format!("{}.{until}", e.upload_id))
            }
            Self::ImageUploaded(e) => Some(e.upload_id.clone()),
            Self::UploadFailed(e) => Some(e.upload_id.clone()),
            Self::VerificationRequested(_)
            | Self::DossierCreated(_)
            | Self::ProcessCreated(_)
            | Self::SetupFailed(_)
            | Self::SubmissionRequested(_)
            | Self::VerificationStarted(_)
            | Self::StartRefused(_)
            | Self::CancellationRequested(_)
            | Self::CompletionSignalled(_)
            | Self::ProcessFinished(_)
            | Self::ErasureRequested(_)
            | Self::DataErased(_) => None,
        }
    }
}
