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
    /// What it is for.
    pub about: String,
}

impl Description {
    fn default_and_unit(&self) -> String {
        let default = match (&self.default, self.required) {
            (Some(default), _) => format!("default {default}"),
            (None, true) => "required".to_owned(),
            (None, false) => "default none".to_owned(),
        };
        if self.unit.is_empty() { default } else { format!("{default} ({})", self.unit) }
    }
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
