//! The name of each call, as fault patterns and the list of calls use it.

use axum::http::Method;

/// Method, path and name; `{}` stands for any one segment, the first fit counts.
const TABLE: &[(Method, &str, &str)] = &[
    (Method::POST, "/auth/open/connect/token", "token"),
    (Method::POST, "/assure/dossiers", "createDossier"),
    (Method::GET, "/assure/dossiers", "listDossiers"),
    (Method::DELETE, "/assure/dossiers/all", "deleteAllDossiers"),
    (Method::GET, "/assure/dossiers/{}", "getDossier"),
    (Method::DELETE, "/assure/dossiers/{}", "deleteDossier"),
    (Method::POST, "/assure/dossiers/{}/userdata", "setUserData"),
    (Method::GET, "/assure/dossiers/{}/userdata", "getUserData"),
    (Method::PUT, "/assure/dossiers/{}/userdata", "updateUserData"),
    (Method::DELETE, "/assure/dossiers/{}/userdata", "deleteUserData"),
    (Method::POST, "/assure/dossiers/{}/files", "setFiles"),
    (Method::GET, "/assure/dossiers/{}/files", "getFile"),
    (Method::DELETE, "/assure/dossiers/{}/files", "deleteFiles"),
    (Method::POST, "/assure/dossiers/{}/capture", "startCapture"),
    (Method::POST, "/assure/dossiers/{}/processes", "createProcess"),
    (Method::GET, "/assure/dossiers/{}/processes/{}", "getProcess"),
    (Method::POST, "/assure/dossiers/{}/processes/{}", "startVerification"),
    (Method::DELETE, "/assure/dossiers/{}/processes/{}", "deleteProcess"),
    (Method::POST, "/assure/dossiers/{}/processes/{}/images", "setImages"),
    (Method::GET, "/assure/dossiers/{}/processes/{}/images", "getImage"),
    (Method::GET, "/assure/dossiers/{}/processes/{}/video", "getVideo"),
    (Method::GET, "/assure/dossiers/{}/processes/{}/download", "download"),
    (Method::GET, "/assure/dossiers/{}/processes/{}/raw", "getRaw"),
    (Method::GET, "/assure/dossiers/{}/processes/{}/external-id", "getExternalId"),
    (Method::POST, "/assure/dossiers/{}/processes/{}/fail", "failProcess"),
    (Method::GET, "/assure/processes", "listProcesses"),
    (Method::GET, "/assure/{}/document-types", "getDocumentTypes"),
];

/// The operation a call is for; `unknown` for what the simulator doesn't offer.
pub(crate) fn name(method: &Method, path: &str) -> &'static str {
    TABLE
        .iter()
        .find(|(m, template, _)| m == method && fits(template, path))
        .map_or("unknown", |(_, _, name)| name)
}

/// Whether a fault's pattern, with at most one `*`, covers an operation.
pub(crate) fn covers(pattern: &str, operation: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == operation,
        Some((head, tail)) => {
            operation.len() >= head.len() + tail.len()
                && operation.starts_with(head)
                && operation.ends_with(tail)
        }
    }
}

/// Whether the pattern covers any operation at all.
pub(crate) fn covers_any(pattern: &str) -> bool {
    covers(pattern, "unknown") || TABLE.iter().any(|(_, _, name)| covers(pattern, name))
}

fn fits(template: &str, path: &str) -> bool {
    let mut wanted = template.split('/');
    let mut found = path.split('/');
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("{}"), Some(segment)) if !segment.is_empty() => {}
            (Some(literal), Some(segment)) if literal == segment => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_by_method_and_path() {
        let start = name(&Method::POST, "/assure/dossiers/d-1/processes/p-1");
        assert_eq!(start, "startVerification");
        assert_eq!(name(&Method::DELETE, "/assure/dossiers/all"), "deleteAllDossiers");
        assert_eq!(name(&Method::GET, "/assure/dossiers/d-1/"), "unknown");
        assert_eq!(name(&Method::PATCH, "/assure/dossiers"), "unknown");
    }

    #[test]
    fn a_star_covers_any_text() {
        assert!(covers("*", "token"));
        assert!(covers("get*", "getProcess"));
        assert!(covers("*Process", "deleteProcess"));
        assert!(!covers("getProcess", "getProcessLater"));
        assert!(!covers_any("startVerfication"));
    }
}
