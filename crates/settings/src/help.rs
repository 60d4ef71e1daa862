//! The text of `--help`, from what the settings functions declared.

use std::fmt::Write as _;

/// What was declared about one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: &'static str,
    /// The default as one would write it; `None` when there is none.
    pub default: Option<String>,
    /// Whether the program refuses to start without it.
    pub required: bool,
    /// Unit, form or bounds, such as `bytes, 1 to 1000`; may be empty.
    pub unit: String,
    /// Whether it is a secret, which the file named by [`Self::file_name`] may hold instead.
    pub secret: bool,
    /// What it is for.
    pub about: String,
}

impl Description {
    /// The setting that takes the path of a file with this secret.
    pub fn file_name(&self) -> Option<String> {
        self.secret.then(|| file_name(self.name))
    }

    fn default_and_unit(&self) -> String {
        let default = match (&self.default, self.required) {
            (Some(default), _) => format!("default {default}"),
            (None, true) => "required".to_owned(),
            (None, false) => "default none".to_owned(),
        };
        let secret = self.file_name().map(|file_name| format!("secret, or {file_name}"));
        let unit = (!self.unit.is_empty()).then(|| self.unit.clone());
        let form: Vec<_> = unit.into_iter().chain(secret).collect();
        if form.is_empty() { default } else { format!("{default} ({})", form.join("; ")) }
    }
}

/// The setting that takes the path of a file with the secret `name`.
pub(crate) fn file_name(name: &str) -> String {
    format!("{name}_FILE")
}

/// Name, default and unit on one line, so that a search for the name finds all three.
pub(crate) fn render(descriptions: &[Description]) -> String {
    let width = descriptions.iter().map(|d| d.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for description in descriptions {
        let (name, value) = (description.name, description.default_and_unit());
        writeln!(text, "  {name:width$}  {value}").expect("writing to a String cannot fail");
        for line in wrap(&description.about, 92) {
            writeln!(text, "      {line}").expect("writing to a String cannot fail");
        }
    }
    text
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
