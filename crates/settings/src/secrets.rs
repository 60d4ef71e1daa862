//! Secrets: from `NAME`, or from the file that `NAME_FILE` names.

use std::{fmt::Display, io, path::Path};

use secrecy::SecretString;

use crate::{
    Description,
    help::file_name,
    reader::{Found, Reader},
};

impl Reader {
    /// A required secret, from `NAME` or from the file named by `NAME_FILE` (the newline at its
    /// end is dropped). Both at once is a fault.
    pub fn secret(&mut self, name: &'static str, about: &str) -> Option<SecretString> {
        self.parsed_secret(name, "", about, |secret| Ok::<_, String>(secret.clone()))
    }

    /// A secret that may be absent.
    pub fn optional_secret(
        &mut self,
        name: &'static str,
        about: &str,
    ) -> Option<Option<SecretString>> {
        self.optional_parsed_secret(name, "", about, |secret| Ok::<_, String>(secret.clone()))
    }

    /// A required secret with its own syntax. The error's text must not quote the value.
    pub fn parsed_secret<T, E: Display>(
        &mut self,
        name: &'static str,
        unit: &str,
        about: &str,
        parse: impl FnOnce(&SecretString) -> Result<T, E>,
    ) -> Option<T> {
        match self.find_secret(name, true, unit, about) {
            Found::Value(secret) => self.recorded(name, parse(&secret)),
            Found::Unset => {
                self.fault(name, format!("is required (or {name}_FILE, the path of a file)"));
                None
            }
            Found::Fault => None,
        }
    }

    /// A secret with its own syntax that may be absent. The error's text must not quote the value.
    pub fn optional_parsed_secret<T, E: Display>(
        &mut self,
        name: &'static str,
        unit: &str,
        about: &str,
        parse: impl FnOnce(&SecretString) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.find_secret(name, false, unit, about) {
            Found::Value(secret) => self.recorded(name, parse(&secret)).map(Some),
            Found::Unset => self.is_reading().then_some(None),
            Found::Fault => None,
        }
    }

    fn find_secret(
        &mut self,
        name: &'static str,
        required: bool,
        unit: &str,
        about: &str,
    ) -> Found<SecretString> {
        let file_name = file_name(name);
        self.describe(Description {
            name,
            default: None,
            required,
            unit: unit.to_owned(),
            secret: true,
            about: about.to_owned(),
        });
        self.ask_also(&file_name);
        match (self.find(name), self.find(&file_name)) {
            (Found::Fault, _) | (_, Found::Fault) => Found::Fault,
            (Found::Value(_), Found::Value(_)) => {
                self.fault(name, format!("is set, and {file_name} too: set one of them"));
                Found::Fault
            }
            (Found::Value(text), Found::Unset) => Found::Value(text.into()),
            (Found::Unset, Found::Value(path)) => self.read_secret(&file_name, &path),
            (Found::Unset, Found::Unset) => Found::Unset,
        }
    }

    fn read_secret(&mut self, file_name: &str, path: &str) -> Found<SecretString> {
        match read_secret_file(Path::new(path)) {
            Ok(secret) => Found::Value(secret),
            Err(error) => {
                self.fault(file_name, error.to_string());
                Found::Fault
            }
        }
    }
}

/// Why a file holds no secret. Never quotes its path: whoever confuses `NAME` with `NAME_FILE` has
/// put the secret there.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// Nothing in it but newlines.
    #[error("names an empty file")]
    Empty,
    /// Absent, not permitted, not UTF-8.
    #[error("names a file that cannot be read ({})", .0.kind())]
    Unreadable(#[source] io::Error),
}

/// Reads a secret from a file, without the newline at its end.
///
/// # Errors
///
/// [`SecretFileError`] when there is none.
pub fn read_secret_file(path: &Path) -> Result<SecretString, SecretFileError> {
    let text = std::fs::read_to_string(path).map_err(SecretFileError::Unreadable)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(SecretFileError::Empty),
        secret => Ok(secret.into()),
    }
}
