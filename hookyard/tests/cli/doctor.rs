//! `hookyard doctor`.

use std::{path::Path, process::Output};

use crate::running::command;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(arguments).env("DATA_DIR", folder).output().expect("it runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_doctor_makes_nothing_where_there_is_no_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["doctor"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("does not exist: `hookyard serve` makes it"), "{}", text(&output));
    assert!(!folder.path().join("app.db").exists());
}

#[test]
fn the_doctor_says_that_all_is_well_when_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let migrated = run(folder.path(), &["migrate", "up"]);
    assert!(migrated.status.success(), "{}", text(&migrated));
    let output = run(folder.path(), &["doctor"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    for check in worker::doctor::CHECKS {
        assert!(text(&output).contains(check.name), "{}: {}", check.name, text(&output));
    }
    assert!(!text(&output).contains("BAD"), "{}", text(&output));
}
