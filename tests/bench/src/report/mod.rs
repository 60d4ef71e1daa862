//! Figures: of each round, their median and spread, for people and as JSON.

mod row;
mod sheet;

use std::{fmt, fs, path::Path};

use serde_json::json;

pub(crate) use row::Goal;
pub(crate) use sheet::{Sheet, mib, ms, us_each};

/// Everything that was measured in one run.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Sheet>);

impl Report {
    pub(crate) fn add(&mut self, sheet: Sheet) {
        self.0.push(sheet);
    }

    /// Writes the figures for programs.
    pub(crate) fn write(&self, path: &Path) {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let sections: Vec<_> = self.0.iter().map(Sheet::to_json).collect();
        let summary = json!({ "cores": cores, "sections": sections });
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(path, format!("{summary:#}\n")).unwrap();
    }
}

impl fmt::Display for Report {
    /// The goals alone, as they were met or not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Goals:")?;
        self.0.iter().try_for_each(|sheet| sheet.write_goals(f))
    }
}
