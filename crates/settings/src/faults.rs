//! What is wrong with the settings, all of it in one message.

use std::fmt;

/// One wrong setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name.
    pub name: String,
    /// What is wrong; never quotes a secret.
    pub detail: String,
}

/// Every wrong setting. `Display` is one message with a line for each: `  NAME: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// The faults, in the order in which the settings were asked for.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "wrong setting:")?,
            _ => write!(f, "wrong settings:")?,
        }
        for Fault { name, detail } in &self.0 {
            write!(f, "\n  {name}: {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
