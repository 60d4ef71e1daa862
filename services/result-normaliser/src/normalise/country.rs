//! Country codes.

/// Codes of travel documents (ICAO 9303) that are not ISO 3166's, where a country is meant.
const ICAO: [(&str, &str); 7] = [
    ("D", "DEU"),
    ("GBD", "GBR"),
    ("GBN", "GBR"),
    ("GBO", "GBR"),
    ("GBP", "GBR"),
    ("GBS", "GBR"),
    ("RKS", "XKX"),
];

/// ISO 3166 alpha-3; `None` for a code that means no country we know (`UTO`, `XXX`, …).
pub(super) fn alpha_3(code: &str) -> Option<&'static str> {
    let code = code.to_ascii_uppercase();
    let icao = ICAO.iter().find(|(icao, _)| *icao == code).map(|(_, iso)| *iso);
    icao.or_else(|| rust_iso3166::from_alpha2(&code).map(|country| country.alpha3))
        .or_else(|| rust_iso3166::from_alpha3(&code).map(|country| country.alpha3))
}
