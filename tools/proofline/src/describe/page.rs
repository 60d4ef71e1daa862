//! docs/configuration.md: the settings as a page.

use std::fmt::Write as _;

use proofline_settings::Description;

use super::settings::Program;

const OPENING: &str = "\
# Settings

<!-- Written by `make docs` from the functions that read the settings; a test compares. -->

Settings come from the environment; each binary's `--help` tells its own, and says the same. An empty value counts as unset. A secret `NAME` may be given as
`NAME_FILE`, the path of a file that holds it, never as both. Durations are an integer and `ms`, `s`, `m`, `h` or `d`. Wrong settings are told all at once on
standard error, exit code 2, before a port is opened. A variable that begins with `PROOFLINE_` or `ASSURE_` and that no setting asks for is a warning.
";

/// A table for each program.
pub(super) fn write(programs: &[Program]) -> String {
    let mut page = OPENING.to_owned();
    for program in programs {
        write!(page, "\n## {}\n\n{}\n\n", program.command, program.summary)
            .expect("writing to a String cannot fail");
        page.push_str("| setting | default | form | for |\n|---|---|---|---|\n");
        for setting in &program.settings {
            writeln!(page, "{}", row(setting)).expect("writing to a String cannot fail");
        }
    }
    page.truncate(page.trim_end().len());
    page
}

fn row(setting: &Description) -> String {
    let name = match setting.file_name() {
        Some(file_name) => format!("`{}`, `{file_name}`", setting.name),
        None => format!("`{}`", setting.name),
    };
    let default = match (&setting.default, setting.required) {
        (Some(default), _) => format!("`{default}`"),
        (None, true) => "**required**".to_owned(),
        (None, false) => "none".to_owned(),
    };
    let form = match (setting.secret, setting.unit.as_str()) {
        (false, unit) => unit.to_owned(),
        (true, "") => "secret".to_owned(),
        (true, unit) => format!("secret: {unit}"),
    };
    let cells = [name, default, form, setting.about.clone()];
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

#[cfg(test)]
mod tests {
    use super::{super::settings, *};

    const COMMITTED: &str = include_str!("../../../../docs/configuration.md");

    #[test]
    fn the_page_is_current() {
        let current = format!("{}\n", write(&settings::programs()));
        assert!(COMMITTED == current, "docs/configuration.md is not current: run `make docs`");
    }

    #[test]
    fn a_cell_cannot_break_the_table() {
        let setting = Description {
            name: "NAME",
            default: Some("a|b".to_owned()),
            required: false,
            unit: String::new(),
            secret: false,
            about: "One.".to_owned(),
        };
        assert_eq!(row(&setting), "| `NAME` | `a\\|b` |  | One. |");
    }
}
