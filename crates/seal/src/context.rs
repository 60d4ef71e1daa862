//! What a ciphertext is bound to.

/// Whose a sealed thing is. Part of every ciphertext's associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The tenant's name.
    pub tenant: &'a str,
    /// The verification's id.
    pub verification_id: &'a str,
}

impl Subject<'_> {
    /// The associated data of something made for `usage`, with `details` that it must be opened with again.
    pub(crate) fn bind(&self, usage: &str, details: &[&str]) -> Vec<u8> {
        let mut parts = vec![usage, self.tenant, self.verification_id];
        parts.extend(details);
        encode(&parts)
    }
}

/// Joins `parts` so that different lists never give the same bytes.
pub(crate) fn encode(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_boundary_changes_the_binding() {
        let one = Subject { tenant: "ab", verification_id: "c" };
        let other = Subject { tenant: "a", verification_id: "bc" };
        assert_ne!(one.bind("use", &[]), other.bind("use", &[]));
        assert_ne!(one.bind("use", &["x", ""]), one.bind("use", &["", "x"]));
        assert_ne!(one.bind("use", &[""]), one.bind("use", &[]));
    }
}
