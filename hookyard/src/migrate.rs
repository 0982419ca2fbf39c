//! Migrations, one process at a time: on Postgres behind an advisory lock, on SQLite behind a lock file.

use std::{fs::File, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::ValueEnum;
use migration::runner::{self, Report};
use platform::{
    config::{Config, Role, environment},
    database::{Database, DatabaseUrl},
};

/// Which migrations to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// Apply the pending migrations
    Up,
    /// Revert the last migration
    Down,
    /// Show the applied migrations
    Status,
}

/// `hookyard migrate`.
///
/// # Errors
/// When the database can't be reached or a migration fails.
pub async fn command(direction: Direction) -> anyhow::Result<ExitCode> {
    let config = match Config::load(Role::AllInOne, environment) {
        Ok(config) => config,
        Err(wrong) => return Ok(wrong.report()),
    };
    let database = Database::connect(&config.database_url).await?;
    if direction != Direction::Status {
        run_with(&database, &config.database_url, direction, &|line| println!("{line}")).await?;
    }
    for line in status(&database).await? {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Applies pending migrations, or reverts the last one, while no other process migrates. Logs the progress.
///
/// # Errors
/// When the lock is not available or a migration fails.
pub async fn run(database: &Database, url: &DatabaseUrl, direction: Direction) -> anyhow::Result<()> {
    run_with(database, url, direction, &|line| tracing::info!("{line}")).await
}

/// The same with the progress going to `report`. On Postgres the migrations have connections of their own, without a
/// statement timeout and with a short wait for locks, so that they never stand in the way of those who work.
///
/// # Errors
/// When the lock is not available or a migration fails.
pub async fn run_with(
    database: &Database,
    url: &DatabaseUrl,
    direction: Direction,
    report: Report<'_>,
) -> anyhow::Result<()> {
    let direction = match direction {
        Direction::Up => runner::Direction::Up,
        Direction::Down => runner::Direction::Down,
        Direction::Status => return Ok(()),
    };
    match url {
        DatabaseUrl::Postgres(url) => {
            let pool = Database::connect_for_migrations(url).await?;
            runner::run_on_postgres(pool, direction, report).await
        }
        DatabaseUrl::Sqlite(path) => {
            let _lock = lock_file(path).await?;
            runner::run(database.writer(), direction, report).await
        }
    }
}

async fn status(database: &Database) -> anyhow::Result<Vec<String>> {
    let (applied, pending) =
        (runner::applied(database.writer()).await?, runner::pending(database.writer()).await?);
    let applied = applied.into_iter().map(|name| format!("applied  {name}"));
    Ok(applied.chain(pending.into_iter().map(|name| format!("pending  {name}"))).collect())
}

/// Takes the lock; closing the file releases it.
async fn lock_file(database: &Path) -> anyhow::Result<File> {
    let database =
        database.canonicalize().with_context(|| format!("{} can't be read", database.display()))?;
    let path = database.with_extension("migrate.lock");
    let lock = File::create(&path).with_context(|| format!("{} can't be made", path.display()))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    Ok(lock)
}
