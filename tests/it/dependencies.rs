//! docs/dependencies.md names what is there.

const PAGE: &str = include_str!("../../docs/dependencies.md");
const WORKSPACE: &str = include_str!("../../Cargo.toml");
const TESTS: &str = include_str!("../Cargo.toml");

/// The crates that a manifest gives a version; ours have a path, others' versions are elsewhere.
fn versioned(manifest: &str) -> impl Iterator<Item = &str> {
    let sections = manifest.split("\n[").filter(|section| {
        let (name, _) = section.split_once(']').unwrap_or_default();
        name.ends_with("dependencies")
    });
    let lines = sections.flat_map(str::lines);
    lines.filter_map(|line| {
        let (name, value) = line.split_once(" = ")?;
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let has_version = value.starts_with('"') || value.contains("version = ");
        (is_name && has_version).then_some(name)
    })
}

#[test]
fn every_crate_that_we_name_is_there_with_its_reason_and_no_other() {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: Vec<Vec<_>> = rows.map(|row| row.split(" | ").collect()).collect();
    for row in &rows {
        assert!(row.len() == 3 && row.iter().all(|cell| cell.len() > 2), "{row:?}");
    }
    let told: Vec<_> = rows.iter().map(|row| row[0].trim_end_matches('`')).collect();
    let mut named: Vec<_> = versioned(WORKSPACE).chain(versioned(TESTS)).collect();
    named.sort_unstable();
    assert!(named.len() > 40, "{named:?}");
    assert_eq!(told, named);
}
