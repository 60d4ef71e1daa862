//! Identifiers with a form, so that a bare text never passes for one.

use std::fmt;

/// A text that is not of the identifier's form. Says nothing of the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct InvalidId(&'static str);

/// Name of a tenant: `^[a-z0-9-]{1,40}$`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantName(String);

/// Id of a verification: `^vrf_[0-9a-z]{20,40}$`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VerificationId(String);

/// A verification and the tenant it belongs to: what every subject, key and token names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VerificationKey {
    /// The calling application.
    pub tenant: TenantName,
    /// The verification.
    pub id: VerificationId,
}

impl TenantName {
    /// Takes a text of the right form.
    ///
    /// # Errors
    /// [`InvalidId`] when it has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let ok = (1..=40).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidId("tenant name")) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VerificationId {
    const PREFIX: &str = "vrf_";

    /// Makes an id of 16 bytes: random ones, or a hash.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(format!("{}{:032x}", Self::PREFIX, u128::from_be_bytes(bytes)))
    }

    /// Takes a text of the right form.
    ///
    /// # Errors
    /// [`InvalidId`] when it has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let ok = text.strip_prefix(Self::PREFIX).is_some_and(|rest| {
            (20..=40).contains(&rest.len())
                && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        });
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidId("verification id")) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VerificationKey {
    /// Takes both from text.
    ///
    /// # Errors
    /// [`InvalidId`] when either has another form.
    pub fn parse(tenant: &str, id: &str) -> Result<Self, InvalidId> {
        Ok(Self { tenant: TenantName::parse(tenant)?, id: VerificationId::parse(id)? })
    }

    /// All subjects of this verification: its log.
    pub fn family(&self) -> String {
        format!("proofline.v1.*.{}.{}", self.tenant, self.id)
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VerificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `<tenant>.<id>`, as subjects and bucket keys spell it.
impl fmt::Display for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.tenant, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_other_forms_are_refused() {
        for bad in ["", "vrf_", "vrf_0123", "VRF_00000000000000000000", "vrf_0000000000000000000A"]
        {
            assert!(VerificationId::parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "Acme", "a.b", "a*", "a b", &"a".repeat(41)] {
            assert!(TenantName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_made_of_bytes_are_of_the_right_form() {
        for bytes in [[0; 16], [255; 16]] {
            let id = VerificationId::from_bytes(bytes);
            assert_eq!(VerificationId::parse(id.as_str()), Ok(id));
        }
    }
}
