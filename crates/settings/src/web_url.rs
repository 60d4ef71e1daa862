//! Addresses of HTTP services, as settings have them.

use url::Url;

/// Why a text is no address of an HTTP service. Never quotes it: a URL with user info is a secret
/// in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL at all.
    #[error("must be a URL ({0})")]
    Format(#[from] url::ParseError),
    /// Another scheme.
    #[error("must be an http or https URL")]
    Scheme,
    /// A user name or a password.
    #[error("must have no user name or password")]
    UserInfo,
    /// Something that cannot be a prefix of other addresses.
    #[error("must have no query and no fragment")]
    Suffix,
}

/// Reads an `http` or `https` URL without user info, query or fragment. A path is kept.
///
/// # Errors
///
/// [`UrlError`] says which rule it breaks.
pub fn parse_url(text: &str) -> Result<Url, UrlError> {
    let url = Url::parse(text)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::UserInfo);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlError::Suffix);
    }
    Ok(url)
}
