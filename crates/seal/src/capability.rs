//! Tokens that name a verification and prove that we gave them away.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;

use crate::aead;
use crate::context::encode;
use crate::keyring::{Key, Keyring, is_key_id};

/// Longer than any token we mint (a return address has at most 1024 characters); nothing longer is decoded.
const MAX_TOKEN_CHARS: usize = 8 * 1024;

/// What a capability may be used for. One for another purpose is not authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Assure tells that a process is finished.
    Callback,
    /// The end-user comes back.
    Return,
    /// A browser or app uploads one image.
    Upload,
}

/// The right to do one thing for one verification, until a point in time.
#[derive(Clone, PartialEq, Eq)]
pub struct Capability {
    /// What it is for.
    pub purpose: Purpose,
    /// The verification's tenant.
    pub tenant: String,
    /// The verification.
    pub verification_id: String,
    /// From when on it is worth nothing. Whole seconds: a fraction is dropped when it is minted.
    pub expires_at: OffsetDateTime,
    /// For a return, the caller's return address; for an upload, the depiction.
    pub detail: Option<String>,
}

/// A capability that was presented and is genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// What it allows.
    pub capability: Capability,
    /// The key it was minted with.
    pub key_id: String,
}

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// It has not even the form of a token.
    #[error("the token is malformed")]
    Malformed,
    /// We did not mint it for this purpose, or its key is gone.
    #[error("the token is not authentic")]
    Unauthentic,
    /// It was genuine, but its time is over.
    #[error("the token has expired")]
    Expired,
}

/// What is inside the ciphertext, as a JSON array: expiry (seconds since 1970), tenant, verification, detail.
type Content<'a> = (i64, Cow<'a, str>, Cow<'a, str>, Option<Cow<'a, str>>);

impl Keyring {
    /// A token for `capability`, made with the first key: `<key id>.<base64url>`, fit for a URL path.
    ///
    /// Its content is encrypted, so it tells nothing to who sees it, and no two tokens are equal.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn mint(&self, capability: &Capability) -> String {
        let key = self.first();
        let usage = capability.purpose.usage();
        let mut sealed = Vec::new();
        aead::seal_into(&mut sealed, &key.subkey(usage), &encode(&[usage, &key.id]), |message| {
            serde_json::to_writer(message, &capability.content()).expect("numbers and text only");
        });
        format!("{}.{}", key.id, URL_SAFE_NO_PAD.encode(sealed))
    }

    /// A token as from [`mint`](Self::mint), and the `Authorization` value that must accompany it.
    ///
    /// The token travels in a URL, which proxies log; the second secret travels in a header. Only
    /// [`Redeemed::authorizes`] tells whether they belong together.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn mint_callback(&self, capability: &Capability) -> (String, SecretString) {
        (
            self.mint(capability),
            SecretString::from(authorization(self.first(), capability).as_str()),
        )
    }

    /// Reads a token that is presented for `purpose` at `now`.
    ///
    /// # Errors
    ///
    /// [`CapabilityError`] says why not. Callers that answer strangers should answer all of them alike.
    pub fn redeem(
        &self,
        purpose: Purpose,
        token: &str,
        now: OffsetDateTime,
    ) -> Result<Redeemed, CapabilityError> {
        let (id, sealed) = split_token(token).ok_or(CapabilityError::Malformed)?;
        let key = self.find(id).ok_or(CapabilityError::Unauthentic)?;
        let usage = purpose.usage();
        let opened = aead::open(&key.subkey(usage), &encode(&[usage, id]), &sealed);
        let capability = opened
            .and_then(|content| Capability::from_content(purpose, &content))
            .ok_or(CapabilityError::Unauthentic)?;
        if now >= capability.expires_at {
            return Err(CapabilityError::Expired);
        }
        Ok(Redeemed { capability, key_id: id.to_owned() })
    }
}

impl Redeemed {
    /// Whether `presented` is the `Authorization` value that was given out with this capability, compared in
    /// constant time. `keyring` is the one that redeemed it.
    #[must_use]
    pub fn authorizes(&self, keyring: &Keyring, presented: &str) -> bool {
        let Some(key) = keyring.find(&self.key_id) else {
            return false;
        };
        let expected = authorization(key, &self.capability);
        expected.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl Capability {
    fn content(&self) -> Content<'_> {
        (
            self.expires_at.unix_timestamp(),
            Cow::from(&self.tenant),
            Cow::from(&self.verification_id),
            self.detail.as_deref().map(Cow::from),
        )
    }

    fn from_content(purpose: Purpose, json: &[u8]) -> Option<Self> {
        let (expires_at, tenant, verification_id, detail): Content<'_> =
            serde_json::from_slice(json).ok()?;
        Some(Self {
            purpose,
            tenant: tenant.into_owned(),
            verification_id: verification_id.into_owned(),
            expires_at: OffsetDateTime::from_unix_timestamp(expires_at).ok()?,
            detail: detail.map(Cow::into_owned),
        })
    }
}

impl Purpose {
    /// Names the derived key and is part of what the token is bound to.
    const fn usage(self) -> &'static str {
        match self {
            Self::Callback => "capability.callback",
            Self::Return => "capability.return",
            Self::Upload => "capability.upload",
        }
    }
}

/// `Bearer <base64url of an HMAC over the capability>`: computed anew when it is needed, stored nowhere.
fn authorization(key: &Key, capability: &Capability) -> Zeroizing<String> {
    let content = serde_json::to_string(&capability.content()).expect("numbers and text only");
    let mac = Hmac::<Sha256>::new_from_slice(key.subkey("authorization").as_ref())
        .expect("HMAC takes a key of any length")
        .chain_update(encode(&[capability.purpose.usage(), &content]));
    Zeroizing::new(format!("Bearer {}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}

fn split_token(token: &str) -> Option<(&str, Vec<u8>)> {
    let (id, encoded) = token.split_once('.')?;
    if token.len() > MAX_TOKEN_CHARS || !is_key_id(id) {
        return None;
    }
    let sealed = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    (sealed.len() > aead::NONCE_BYTES + aead::TAG_BYTES).then_some((id, sealed))
}

/// Without the detail: a return address may carry what its caller keeps secret.
impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capability")
            .field("purpose", &self.purpose)
            .field("tenant", &self.tenant)
            .field("verification_id", &self.verification_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
