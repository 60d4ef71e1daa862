//! The text of a tenants file, handed to what reads it. `fuzz/` calls this too.

use crate::Tenants;

/// A tenants file.
pub fn file(text: &str) {
    // What it names would be opened.
    if text.contains("file") {
        return;
    }
    match Tenants::parse(text) {
        Ok(tenants) => {
            assert!(tenants.iter().all(|tenant| tenants.get(tenant.name.as_str()).is_some()))
        }
        Err(faults) => assert!(!faults.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_stands_in_the_file_it_is_read_or_its_faults_are_told(
            text in "\\PC{0,200}", name in "[A-Za-z0-9_.\"-]{0,44}", key in "[0-9a-fA-F]{60,66}",
            origin in "(https?|ftp)://[a-z0-9.:@/*\\[\\]-]{0,30}", subscriber in "[a-z0-9_-]{0,42}",
        ) {
            file(&text);
            file(&format!(
                "[tenants.{name}]\napi_key_sha256 = [{key:?}]\nweb_origins = [{origin:?}]\n\
                 subscribers = [{subscriber:?}, {subscriber:?}]\n"
            ));
        }
    }
}
