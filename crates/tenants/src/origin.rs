//! Web origins: scheme, host and port.

use std::fmt;

use url::{Host, Url};

/// A web origin such as `https://app.acme.example`, kept as a browser writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is no web origin that may be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not scheme, host and port alone.
    #[error("must be a scheme and a host, such as https://app.example, and nothing more")]
    Format,
    /// A wildcard, which no origin has.
    #[error("must be one origin: wildcards are not known here")]
    Wildcard,
    /// Not protected on its way.
    #[error("must be https (http is for loopback only)")]
    Unprotected,
}

impl Origin {
    /// Reads an origin; `http` is for loopback hosts alone, as it is for return addresses.
    ///
    /// # Errors
    ///
    /// [`OriginError`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError::Format)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !bare || !anonymous {
            return Err(OriginError::Format);
        }
        if url.host_str().is_some_and(|host| host.contains('*')) {
            return Err(OriginError::Wildcard);
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(OriginError::Unprotected);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// The origin as browsers send it: no default port, no slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an address is of this origin.
    pub fn is_of(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_browsers_send_it() {
        for (text, kept) in [
            ("https://App.Acme.example", "https://app.acme.example"),
            ("https://app.acme.example:443/", "https://app.acme.example"),
            ("https://app.acme.example:8443", "https://app.acme.example:8443"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn anything_more_or_less_than_an_origin_is_refused() {
        for (text, error) in [
            ("", OriginError::Format),
            ("null", OriginError::Format),
            ("*", OriginError::Format),
            ("app.acme.example", OriginError::Format),
            ("https://app.acme.example/path", OriginError::Format),
            ("https://app.acme.example/?", OriginError::Format),
            ("https://me@app.acme.example", OriginError::Format),
            ("ftp://app.acme.example", OriginError::Format),
            ("https://*.acme.example", OriginError::Wildcard),
            ("http://app.acme.example", OriginError::Unprotected),
            ("http://localhost.acme.example", OriginError::Unprotected),
        ] {
            assert_eq!(Origin::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_compared_as_parsed() {
        let origin = Origin::parse("https://app.acme.example").unwrap();
        let is_of = |text: &str| origin.is_of(&Url::parse(text).unwrap());
        assert!(is_of("https://APP.acme.example:443/back?x=1#y"));
        assert!(!is_of("http://app.acme.example/"));
        assert!(!is_of("https://app.acme.example.evil.example/"));
        assert!(!is_of("https://app.acme.example:8443/"));
    }
}
