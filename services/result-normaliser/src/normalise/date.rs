//! Dates.

use time::{Date, format_description::StaticFormatDescription, macros::format_description};

/// `YYYY-MM-DD`, from the forms that occur; `None` for any other.
pub(super) fn iso(text: &str) -> Option<String> {
    const ISO: StaticFormatDescription = format_description!("[year]-[month]-[day]");
    const FORMS: [StaticFormatDescription; 3] = [
        ISO,
        format_description!("[year][month][day]"),
        format_description!("[day].[month].[year]"),
    ];
    // A date with a time behind it means that day.
    let day = text.split_once('T').map_or(text, |(day, _)| day);
    let date = FORMS.iter().find_map(|form| Date::parse(day, form).ok())?;
    date.format(&ISO).ok()
}
