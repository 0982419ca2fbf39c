//! `.env.example` says what the code says: every setting, its default and its meaning, and nothing else.

use std::{fmt::Write, fs, path::Path};

use platform::config::SETTINGS;

#[test]
fn the_example_is_the_list_of_settings() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.env.example");
    let text = fs::read_to_string(path).expect("the example lies at the root");
    let (_, list) = text.split_once("\n\n").expect("a heading, then the list");
    let mut expected = String::new();
    for setting in SETTINGS {
        writeln!(expected, "# {}\n#{}={}\n", setting.meaning, setting.name, setting.default)
            .expect("a string");
    }
    assert_eq!(list.trim_end(), expected.trim_end(), "the list should read:\n\n{expected}");
}

#[test]
fn every_setting_stands_once_and_has_a_meaning() {
    let mut names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SETTINGS.len());
    assert!(SETTINGS.iter().all(|setting| setting.meaning.ends_with('.') && !setting.meaning.contains('\n')));
}
