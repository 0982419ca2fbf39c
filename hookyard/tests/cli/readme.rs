//! The README's table of settings is the one of the code.

use std::path::Path;

use platform::config::SETTINGS;

/// The rows of the table below `## Settings`: name and default.
fn documented(readme: &str) -> Vec<(String, String)> {
    let section = readme.split("\n## Settings\n").nth(1).expect("a section Settings");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(cell);
        (cells.next().expect("a name"), cells.next().expect("a default"))
    })
    .collect()
}

#[test]
fn the_readme_lists_every_setting_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(path).expect("the README");
    let expected: Vec<(String, String)> =
        SETTINGS.iter().map(|setting| (setting.name.to_owned(), setting.default.to_owned())).collect();
    assert_eq!(documented(&readme), expected);
}
