//! Data URLs as Set images takes them, checked to the last byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF];
const PNG: &[u8] = &[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n'];

/// Why a data URL was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not `data:image/jpeg;base64,…` or `data:image/png;base64,…`.
    NoDataUrl,
    /// Not standard base64 with its padding.
    NoBase64,
    /// The bytes are not what the media type says.
    NoImage,
    /// Larger than allowed.
    TooLarge,
}

/// Decodes a data URL into an image of at most `limit` bytes.
pub(crate) fn decode(text: &str, limit: usize) -> Result<Vec<u8>, Fault> {
    let (magic, encoded) = [("data:image/jpeg;base64,", JPEG), ("data:image/png;base64,", PNG)]
        .into_iter()
        .find_map(|(prefix, magic)| Some((magic, text.strip_prefix(prefix)?)))
        .ok_or(Fault::NoDataUrl)?;
    // Four characters make three bytes; the last group may make one or two fewer.
    if encoded.len() / 4 * 3 > limit.saturating_add(2) {
        return Err(Fault::TooLarge);
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| Fault::NoBase64)?;
    if bytes.len() > limit {
        return Err(Fault::TooLarge);
    }
    if !bytes.starts_with(magic) {
        return Err(Fault::NoImage);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(media_type: &str, bytes: &[u8]) -> String {
        format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
    }

    #[test]
    fn an_image_of_the_stated_kind_and_size_is_decoded() {
        let jpeg = [JPEG, b"rest"].concat();
        assert_eq!(decode(&url("image/jpeg", &jpeg), jpeg.len()), Ok(jpeg.clone()));
        assert_eq!(decode(&url("image/png", PNG), 8), Ok(PNG.to_vec()));
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let jpeg = [JPEG, b"rest"].concat();
        let encoded = STANDARD.encode(&jpeg);
        for (text, limit, fault) in [
            (encoded.clone(), 99, Fault::NoDataUrl),
            (url("image/gif", &jpeg), 99, Fault::NoDataUrl),
            (format!("data:image/jpeg,{encoded}"), 99, Fault::NoDataUrl),
            (
                format!("data:image/jpeg;base64,{}", encoded.trim_end_matches('=')),
                99,
                Fault::NoBase64,
            ),
            (format!("data:image/jpeg;base64,{encoded}\n"), 99, Fault::NoBase64),
            (format!("data:image/jpeg;base64,{}", encoded.replace('/', "_")), 99, Fault::NoBase64),
            (url("image/png", &jpeg), 99, Fault::NoImage),
            (url("image/jpeg", b""), 99, Fault::NoImage),
            (url("image/jpeg", &jpeg), jpeg.len() - 1, Fault::TooLarge),
        ] {
            assert_eq!(decode(&text, limit), Err(fault), "{text}");
        }
    }
}
