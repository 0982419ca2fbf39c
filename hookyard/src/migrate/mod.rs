//! Migrations, one process at a time: on Postgres behind an advisory lock, on SQLite behind a lock file.

mod postgres;

use std::{fs::File, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::ValueEnum;
use migration::Migrator;
use platform::{
    config::{Config, EXIT_CODE, Role, environment},
    database::{Database, DatabaseUrl},
};
use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{DatabaseConnection, DbErr},
};

/// Where a sentence on the progress goes.
pub type Report<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// Apply what is missing
    Up,
    /// Take the last one back
    Down,
    /// Show what is applied
    Status,
}

/// `hookyard migrate`.
///
/// # Errors
/// When the database can't be reached or a migration fails.
pub async fn command(direction: Direction) -> anyhow::Result<ExitCode> {
    let config = match Config::load(Role::AllInOne, environment) {
        Ok(config) => config,
        Err(wrong) => {
            eprintln!("{wrong}");
            return Ok(ExitCode::from(EXIT_CODE));
        }
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

/// Applies what is missing, or takes one step back, while no other process does. The log shows the progress.
///
/// # Errors
/// When the lock can't be had or a migration fails.
pub async fn run(database: &Database, url: &DatabaseUrl, direction: Direction) -> anyhow::Result<()> {
    run_with(database, url, direction, &|line| tracing::info!("{line}")).await
}

/// The same with the progress going to `report`. On Postgres the migrations have connections of their own, without a
/// statement timeout and with a short wait for locks, so that they never stand in the way of those who work.
///
/// # Errors
/// When the lock can't be had or a migration fails.
pub async fn run_with(
    database: &Database,
    url: &DatabaseUrl,
    direction: Direction,
    report: Report<'_>,
) -> anyhow::Result<()> {
    match url {
        DatabaseUrl::Postgres(url) => postgres::run(url, direction, report).await,
        DatabaseUrl::Sqlite(path) => {
            let _lock = lock_file(path).await?;
            while let Some(step) = next_step(database.writer(), direction).await? {
                report(&format!("{step}: begins"));
                take_step(database.writer(), direction).await?;
                report(&format!("{step}: done"));
                if direction == Direction::Down {
                    break;
                }
            }
            Ok(())
        }
    }
}

/// The name of the migration that comes next.
async fn next_step(database: &DatabaseConnection, direction: Direction) -> anyhow::Result<Option<String>> {
    let next = match direction {
        Direction::Up => Migrator::get_pending_migrations(database).await?.into_iter().next(),
        Direction::Down => Migrator::get_applied_migrations(database).await?.pop(),
        Direction::Status => None,
    };
    Ok(next.map(|migration| migration.name().to_owned()))
}

async fn take_step(database: &DatabaseConnection, direction: Direction) -> Result<(), DbErr> {
    match direction {
        Direction::Up => Migrator::up(database, Some(1)).await,
        Direction::Down => Migrator::down(database, Some(1)).await,
        Direction::Status => Ok(()),
    }
}

async fn status(database: &Database) -> anyhow::Result<Vec<String>> {
    let applied = Migrator::get_applied_migrations(database.writer()).await?;
    let pending = Migrator::get_pending_migrations(database.writer()).await?;
    let applied = applied.iter().map(|migration| format!("applied  {}", migration.name()));
    let pending = pending.iter().map(|migration| format!("pending  {}", migration.name()));
    Ok(applied.chain(pending).collect())
}

/// The lock is gone with the file handle.
async fn lock_file(database: &Path) -> anyhow::Result<File> {
    let database =
        database.canonicalize().with_context(|| format!("{} can't be read", database.display()))?;
    let path = database.with_extension("migrate.lock");
    let lock = File::create(&path).with_context(|| format!("{} can't be made", path.display()))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    Ok(lock)
}
