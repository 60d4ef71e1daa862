//! Why a verification ended as it did, in our own words.

macro_rules! reasons {
    ($($variant:ident $code:literal $message:literal)*) => {
        /// A reason code of the contract, for outcomes that need one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason {
            $(#[doc = $message] $variant,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code, in kebab case.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// One sentence for people; never a text of Assure's.
            pub fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }
        }
    };
}

reasons! {
    SetupRefused "setup-refused" "Assure refused to create the process."
    SetupFailed "setup-failed" "The process could not be created in Assure."
    StartRefused "start-refused" "Assure refused to start the verification."
    ProcessGone "process-gone" "Assure no longer has the process."
    ProviderFailed "provider-failed" "The provider reported a technical failure."
    CanceledByCaller "canceled-by-caller" "The caller canceled the verification."
    CanceledByEndUser "canceled-by-end-user" "The end-user gave up, or took too long."
    NeverSubmitted "never-submitted" "The verification was not submitted before its deadline."
    NoResult "no-result" "Assure had no result before the deadline."
    UnknownStatus "unknown-status" "Assure ended the process with a status that is not known."
}

impl Reason {
    /// The reason of this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}
