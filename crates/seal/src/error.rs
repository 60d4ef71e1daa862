//! Why something sealed did not open.

/// Why a wrapped key or a sealed document did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It names a key that is not in the keyring: it was removed too early, or the settings of two processes
    /// differ.
    #[error("the key \"{0}\" it was sealed with is not in the keyring")]
    UnknownKey(String),
    /// It was not sealed with this key for this subject and use, or it was changed since.
    #[error("it was not sealed for this use, or was changed since")]
    Forged,
    /// It is genuine, but larger than anything this crate unpacks.
    #[error("the sealed document is larger than {limit} bytes")]
    TooLarge {
        /// The most that is unpacked.
        limit: usize,
    },
}
