//! Where the servers' programs are. `scripts/test-services` says; without it the usual places are tried.

use std::path::{Path, PathBuf};

use platform::config::environment;

const HINT: &str = "run the tests by `make test`, which installs what is missing";

/// A program of Postgres, by name.
///
/// # Panics
/// When there is no Postgres: a test that needs one fails, it is not skipped.
pub(super) fn postgres(program: &str) -> PathBuf {
    let named = environment("HOOKYARD_TEST_PG_BIN").map(PathBuf::from);
    let folder =
        named.or_else(newest_postgres).unwrap_or_else(|| panic!("no Postgres programs found: {HINT}"));
    folder.join(program)
}

/// The server of Redis.
///
/// # Panics
/// When there is none.
pub(super) fn redis_server() -> PathBuf {
    let named = environment("HOOKYARD_TEST_REDIS_SERVER").map(PathBuf::from);
    let found = named.or_else(|| on_path("redis-server")).or_else(|| on_path("valkey-server"));
    found.unwrap_or_else(|| panic!("no redis-server found: {HINT}"))
}

fn newest_postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    let by_version = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    folders
        .filter(|folder| folder.join("initdb").exists())
        .max_by_key(by_version)
        .or_else(|| on_path("initdb")?.canonicalize().ok()?.parent().map(Path::to_owned))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = environment("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
}
