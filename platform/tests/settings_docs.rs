//! `.env.example` and the tables of `docs/configuration.md` are rendered from the list of settings.
//! `UPDATE_DOCS=1 cargo test --workspace --test settings_docs` writes them.

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use platform::config::{SECTIONS, Section, SettingSpec, settings};

const BEGIN: &str = "<!-- Generated from platform/src/config/settings: begin -->\n";
const END: &str = "<!-- Generated from platform/src/config/settings: end -->\n";
/// Longest line of `.env.example`.
const WIDTH: usize = 100;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Compares a document with its rendered text, or writes it when `UPDATE_DOCS` is set.
fn check(name: &str, text: &str, rendered: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path(name), rendered).expect("the document is writable");
    } else {
        assert!(
            text == rendered,
            "{name} differs from the list of settings: run this test with UPDATE_DOCS=1"
        );
    }
}

/// Splits text into lines of a comment that are at most [`WIDTH`] long.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        if lines.last().is_some_and(|line| line.len() + 1 + word.len() > WIDTH) {
            lines.push(String::from("#"));
        }
        let line = lines.last_mut().expect("at least one line");
        write!(line, " {word}").expect("a string");
    }
    lines.join("\n")
}

fn example(setting: &SettingSpec) -> String {
    let SettingSpec { name, rule, default, meaning, .. } = setting;
    format!("{}\n{}\n#{name}={default}\n", comment(meaning), comment(&format!("Value: {rule}.")))
}

/// A cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

fn row(setting: &SettingSpec) -> String {
    let SettingSpec { name, rule, default, used_by, meaning } = setting;
    let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
    format!("| `{name}` | {} | {default} | {} | {} |\n", cell(rule), used_by.as_str(), cell(meaning))
}

fn table(section: &Section) -> String {
    let rows: String = section.settings.iter().map(row).collect();
    let head = "| setting | value | default | used by | meaning |\n|---|---|---|---|---|\n";
    format!("\n## {}\n\n{head}{rows}", section.title)
}

#[test]
fn the_example_is_rendered_from_the_list_of_settings() {
    let text = fs::read_to_string(path(".env.example")).expect(".env.example");
    let (head, _) = text.split_once("\n\n").expect("a heading, then the list");
    let list: Vec<String> = settings().map(example).collect();
    check(".env.example", &text, &format!("{head}\n\n{}", list.join("\n")));
}

#[test]
fn the_page_is_rendered_from_the_list_of_settings() {
    let text = fs::read_to_string(path("docs/configuration.md")).expect("docs/configuration.md");
    let (head, rest) = text.split_once(BEGIN).expect("the begin of the generated part");
    let (_, tail) = rest.split_once(END).expect("the end of the generated part");
    let tables: String = SECTIONS.iter().map(table).collect();
    check("docs/configuration.md", &text, &format!("{head}{BEGIN}{tables}\n{END}{tail}"));
}

#[test]
fn every_setting_occurs_once_and_is_described() {
    let names: BTreeSet<&str> = settings().map(|setting| setting.name).collect();
    assert_eq!(names.len(), settings().count(), "no name occurs twice");
    for SettingSpec { name, rule, meaning, .. } in settings() {
        assert!(!rule.is_empty() && !rule.ends_with('.') && !rule.contains('\n'), "{name}");
        assert!(meaning.ends_with('.') && !meaning.contains('\n'), "{name}");
    }
}
