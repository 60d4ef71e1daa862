//! The table of all events.

use std::fmt;

use crate::VerificationKey;

/// A process that publishes events; what `ce-source` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Accepts requests and answers for them.
    Intake,
    /// Carries images to Assure.
    Upload,
    /// Starts verifications and watches deadlines.
    Verifier,
    /// Hears from Assure and from returning end-users.
    CallbackReceiver,
    /// Tells the end.
    ResultNormaliser,
}

impl Service {
    /// All services.
    pub const ALL: [Self; 5] = [
        Self::Intake,
        Self::Upload,
        Self::Verifier,
        Self::CallbackReceiver,
        Self::ResultNormaliser,
    ];

    /// The name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Upload => "upload",
            Self::Verifier => "verifier",
            Self::CallbackReceiver => "callback-receiver",
            Self::ResultNormaliser => "result-normaliser",
        }
    }
}

macro_rules! events {
    ($($variant:ident $name:literal $once:ident by $publishers:expr;)*) => {
        /// What an event says. One row each of: name in subjects, whether it happens at most once
        /// for a verification, and who may publish it. Who consumes it stands with the durable
        /// consumers, in the crate `journal`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventType {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl EventType {
            /// All events, in the order in which a verification usually meets them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in subjects, in kebab case.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name of the protobuf message.
            pub fn message_name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            /// Whether it happens at most once for a verification.
            pub fn is_once(self) -> bool {
                match self { $(Self::$variant => $once,)* }
            }

            /// Who may publish it.
            pub fn publishers(self) -> &'static [Service] {
                use Service::*;
                match self { $(Self::$variant => &$publishers,)* }
            }
        }
    };
}

const ONCE: bool = true;
const REPEATS: bool = false;

events! {
    VerificationRequested "verification-requested" ONCE by [Intake];
    DossierCreated "dossier-created" ONCE by [Intake];
    ProcessCreated "process-created" ONCE by [Intake];
    SetupFailed "setup-failed" ONCE by [Intake];
    UploadStarted "upload-started" REPEATS by [Upload];
    ImageUploaded "image-uploaded" REPEATS by [Upload];
    UploadFailed "upload-failed" REPEATS by [Upload];
    SubmissionRequested "submission-requested" ONCE by [Intake, Upload];
    VerificationStarted "verification-started" ONCE by [Verifier];
    StartRefused "start-refused" ONCE by [Verifier];
    CancellationRequested "cancellation-requested" ONCE by [Intake];
    CompletionSignalled "completion-signalled" REPEATS by [CallbackReceiver, Verifier];
    ProcessFinished "process-finished" ONCE by [ResultNormaliser];
    ErasureRequested "erasure-requested" ONCE by [Intake];
    DataErased "data-erased" ONCE by [ResultNormaliser];
}

impl EventType {
    /// The event of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.name() == name)
    }

    /// `proofline.v1.<event>`: the CloudEvents type.
    pub fn ce_type(self) -> String {
        format!("proofline.v1.{}", self.name())
    }

    /// The subject of this event for one verification.
    pub fn subject(self, key: &VerificationKey) -> String {
        format!("proofline.v1.{}.{}.{}", self.name(), key.tenant, key.id)
    }

    /// The subject of this event for any verification: for who may hear no more than what has the form
    /// of a subject.
    pub fn any_subject(self) -> String {
        format!("proofline.v1.{}.*.*", self.name())
    }

    /// The filter of durable consumers for this event of every verification.
    pub fn subject_filter(self) -> String {
        format!("proofline.v1.{}.>", self.name())
    }

    /// Takes a subject apart.
    pub fn parse_subject(subject: &str) -> Option<(Self, VerificationKey)> {
        let mut tokens = subject.strip_prefix("proofline.v1.")?.split('.');
        let event = Self::parse(tokens.next()?)?;
        let key = VerificationKey::parse(tokens.next()?, tokens.next()?).ok()?;
        tokens.next().is_none().then_some((event, key))
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
