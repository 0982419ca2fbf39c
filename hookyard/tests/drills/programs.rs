//! Where the programs are: all of one build, side by side.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
};

use platform::config::environment;

/// The all-in-one program, which cargo has built for this test.
pub(crate) fn hookyard() -> PathBuf {
    env!("CARGO_BIN_EXE_hookyard").into()
}

/// `hookyard-api` or `hookyard-worker`. `make test` has built them; a bare `cargo test` of this package has not, then
/// they are built here.
pub(crate) fn other(name: &str) -> PathBuf {
    static BUILD: Once = Once::new();
    let path = beside(name);
    if !path.exists() {
        BUILD.call_once(build);
    }
    assert!(path.exists(), "there is no {}: run `cargo build --workspace`", path.display());
    path
}

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_hookyard")).with_file_name(name)
}

fn build() {
    eprintln!("hookyard-api and hookyard-worker are not built yet: building them");
    let cargo = environment("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let built = Command::new(cargo).args(["build", "-p", "hookyard-api", "-p", "hookyard-worker"]).status();
    assert!(built.is_ok_and(|status| status.success()), "cargo build failed");
}
