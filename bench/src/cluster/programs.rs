//! Where the programs under test are: beside this one, of the same profile. Built first when they are missing or older
//! than their sources.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context as _, Result, ensure};
use platform::config::environment;

const PROGRAMS: [&str; 3] = ["hookyard", "hookyard-api", "hookyard-worker"];
/// Packages that the programs are made of.
const SOURCES: [&str; 9] =
    ["domain", "entity", "migration", "channels", "platform", "api", "worker", "dashboard", "hookyard"];
/// Folders that no program is made of.
const NO_SOURCES: [&str; 2] = ["tests", "examples"];

/// A program under test.
pub(crate) fn path(program: &str) -> PathBuf {
    folder().join(program)
}

/// Builds the programs when they are missing or older than their sources.
pub(crate) fn make_sure_they_are_built() -> Result<()> {
    if are_current() {
        return Ok(());
    }
    eprintln!("bench: the programs are missing or older than their sources: building them");
    // bench among them, so that cargo chooses the features that bench was built with, and builds nothing twice.
    let mut build = Command::new(environment("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    build.args(["build", "-p", "bench"]).args(PROGRAMS.iter().flat_map(|program| ["-p", program]));
    if folder().file_name().is_some_and(|profile| profile == "release") {
        build.arg("--release");
    }
    let built = build.current_dir(workspace()).status().context("cargo can't be run")?;
    ensure!(built.success(), "the programs were not built");
    Ok(())
}

fn are_current() -> bool {
    let built: Option<Vec<SystemTime>> = PROGRAMS.iter().map(|program| changed(&path(program))).collect();
    let oldest = built.and_then(|times| times.into_iter().min());
    oldest.is_some_and(|oldest| newest_source().is_none_or(|newest| newest <= oldest))
}

fn newest_source() -> Option<SystemTime> {
    SOURCES.iter().filter_map(|package| newest_in(&workspace().join(package))).max()
}

fn newest_in(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let newest = entries.filter_map(|entry| {
        let is_folder = entry.file_type().ok()?.is_dir();
        let is_source = !NO_SOURCES.contains(&entry.file_name().to_str()?);
        match (is_folder, is_source) {
            (true, true) => newest_in(&entry.path()),
            (true, false) => None,
            (false, _) => changed(&entry.path()),
        }
    });
    newest.max()
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn folder() -> PathBuf {
    let this = std::env::current_exe().expect("a program knows where it is");
    // Tests of this package lie one folder deeper.
    let folder = this.parent().expect("a file is in a folder");
    if folder.ends_with("deps") { folder.with_file_name("") } else { folder.to_owned() }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is around us")
}
