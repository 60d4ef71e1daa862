//! The reader: one getter per kind of value. Each declares, documents and reads its setting.

use std::{
    collections::BTreeSet, fmt::Display, net::SocketAddr, ops::RangeInclusive, path::PathBuf,
    str::FromStr, time::Duration,
};

use url::Url;

use crate::{Description, Fault, Faults, Source, help, parse_duration, parse_url};

/// Variables that start so are ours: one that nobody asked for may be a misspelling.
const PREFIXES: [&str; 2] = ["PROOFLINE_", "ASSURE_"];
const DURATION_UNIT: &str = "integer and ms, s, m, h or d";

/// Reads settings and collects their faults, or only describes them.
///
/// Every getter gives `None` after recording a fault (and always while describing). An empty value
/// counts as unset.
#[derive(Debug)]
pub struct Reader {
    source: Option<Source>,
    pub(crate) descriptions: Vec<Description>,
    asked: BTreeSet<String>,
    faults: Vec<Fault>,
}

/// What a getter found; `Fault` was recorded already.
pub(crate) enum Found<T> {
    Value(T),
    Unset,
    Fault,
}

impl Reader {
    /// Reads from a source.
    pub fn new(source: &Source) -> Self {
        Self { source: Some(source.clone()), ..Self::describing() }
    }

    /// Reads nothing: every getter describes its setting and gives `None`.
    pub fn describing() -> Self {
        Self { source: None, descriptions: Vec::new(), asked: BTreeSet::new(), faults: Vec::new() }
    }

    /// A text; without a default it is required.
    pub fn text(
        &mut self,
        name: &'static str,
        default: Option<&str>,
        about: &str,
    ) -> Option<String> {
        self.parsed(name, default, "", about, |text| Ok::<_, String>(text.to_owned()))
    }

    /// A text that may be absent.
    pub fn optional_text(&mut self, name: &'static str, about: &str) -> Option<Option<String>> {
        self.optional_parsed(name, "", about, |text| Ok::<_, String>(text.to_owned()))
    }

    /// A duration, more than zero.
    pub fn duration(&mut self, name: &'static str, default: &str, about: &str) -> Option<Duration> {
        self.parsed(name, Some(default), DURATION_UNIT, about, duration)
    }

    /// A duration, more than zero, that may be absent.
    pub fn optional_duration(
        &mut self,
        name: &'static str,
        about: &str,
    ) -> Option<Option<Duration>> {
        self.optional_parsed(name, DURATION_UNIT, about, duration)
    }

    /// An integer within bounds.
    pub fn integer<T>(
        &mut self,
        name: &'static str,
        default: T,
        unit: &str,
        range: RangeInclusive<T>,
        about: &str,
    ) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let bounds = format!("{} to {}", range.start(), range.end());
        let unit = if unit.is_empty() { bounds.clone() } else { format!("{unit}, {bounds}") };
        self.parsed(name, Some(&default.to_string()), &unit, about, |text| {
            text.parse()
                .ok()
                .filter(|number| range.contains(number))
                .ok_or_else(|| format!("must be an integer from {bounds}, not {}", quoted(text)))
        })
    }

    /// An address to listen on: IP address and port.
    pub fn address(
        &mut self,
        name: &'static str,
        default: &str,
        about: &str,
    ) -> Option<SocketAddr> {
        self.parsed(name, Some(default), "IP address:port", about, |text| {
            text.parse().map_err(|_| {
                format!(
                    "must be an IP address and a port, such as 0.0.0.0:8080, not {}",
                    quoted(text)
                )
            })
        })
    }

    /// An `http` or `https` URL without user info, query or fragment; without a default required.
    pub fn url(&mut self, name: &'static str, default: Option<&str>, about: &str) -> Option<Url> {
        self.parsed(name, default, "http or https URL", about, parse_url)
    }

    /// The path of a file or directory, not looked at here; without a default required.
    pub fn path(
        &mut self,
        name: &'static str,
        default: Option<&str>,
        about: &str,
    ) -> Option<PathBuf> {
        self.parsed(name, default, "path", about, |text| Ok::<_, String>(PathBuf::from(text)))
    }

    /// A path that may be absent.
    pub fn optional_path(&mut self, name: &'static str, about: &str) -> Option<Option<PathBuf>> {
        self.optional_parsed(name, "path", about, |text| Ok::<_, String>(PathBuf::from(text)))
    }

    /// A value with its own syntax; without a default required. The text of the error becomes the
    /// fault, so `parse` decides whether the value may be quoted.
    pub fn parsed<T, E: Display>(
        &mut self,
        name: &'static str,
        default: Option<&str>,
        unit: &str,
        about: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.describe(Description {
            name,
            default: default.map(str::to_owned),
            required: default.is_none(),
            unit: unit.to_owned(),
            secret: false,
            about: about.to_owned(),
        });
        let text = match self.find(name) {
            Found::Value(text) => text,
            Found::Fault => return None,
            Found::Unset => match default {
                Some(default) if self.is_reading() => default.to_owned(),
                _ => return self.missing(name),
            },
        };
        self.recorded(name, parse(&text))
    }

    /// A value with its own syntax that may be absent.
    pub fn optional_parsed<T, E: Display>(
        &mut self,
        name: &'static str,
        unit: &str,
        about: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        self.describe(Description {
            name,
            default: None,
            required: false,
            unit: unit.to_owned(),
            secret: false,
            about: about.to_owned(),
        });
        match self.find(name) {
            Found::Value(text) => self.recorded(name, parse(&text)).map(Some),
            Found::Unset => self.is_reading().then_some(None),
            Found::Fault => None,
        }
    }

    /// Records a fault found elsewhere, such as by a rule over several settings. The detail must
    /// not quote a secret.
    pub fn fault(&mut self, name: &str, detail: impl Into<String>) {
        let fault = Fault { name: name.to_owned(), detail: detail.into() };
        // Two parts of a program may ask for the same setting; its fault is told once.
        if self.is_reading() && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// Every fault that was recorded, at once.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            None if self.faults.is_empty() => {
                let detail = "a value was given up without a reason (a fault of the program)";
                self.faults.push(Fault { name: "settings".to_owned(), detail: detail.to_owned() });
                Err(Faults::new(self.faults))
            }
            _ => Err(Faults::new(self.faults)),
        }
    }

    /// Variables with one of our prefixes that are set but were never asked for.
    pub fn unknown(&self) -> Vec<String> {
        let names = self.source.iter().flat_map(Source::names);
        names
            .filter(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
            .filter(|name| !self.asked.contains(*name))
            .map(str::to_owned)
            .collect()
    }

    /// What was declared so far, each setting once.
    pub fn descriptions(&self) -> &[Description] {
        &self.descriptions
    }

    /// The settings declared so far, as the text of `--help`.
    pub fn help(self) -> String {
        help::render(&self.descriptions)
    }

    pub(crate) fn is_reading(&self) -> bool {
        self.source.is_some()
    }

    /// Notes a setting; the first of several declarations counts.
    pub(crate) fn describe(&mut self, description: Description) {
        if self.asked.insert(description.name.to_owned()) {
            self.descriptions.push(description);
        }
    }

    /// Notes a name that is documented with another one, as `NAME_FILE` is with `NAME`.
    pub(crate) fn ask_also(&mut self, name: &str) {
        self.asked.insert(name.to_owned());
    }

    pub(crate) fn find(&mut self, name: &str) -> Found<String> {
        let value = self.source.as_ref().and_then(|source| source.get(name));
        match value.map(|value| value.to_str().map(str::to_owned)) {
            None => Found::Unset,
            Some(Some(text)) => Found::Value(text),
            Some(None) => {
                self.fault(name, "is not UTF-8");
                Found::Fault
            }
        }
    }

    pub(crate) fn missing<T>(&mut self, name: &str) -> Option<T> {
        self.fault(name, "is required");
        None
    }

    pub(crate) fn recorded<T, E: Display>(
        &mut self,
        name: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.fault(name, error.to_string())).ok()
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| format!("{error}, not {}", quoted(text)))
}

/// Enough of a value to recognise it, on one line.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    format!("{:?}…", text.chars().take(LONGEST).collect::<String>())
}
