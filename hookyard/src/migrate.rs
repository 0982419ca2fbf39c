//! Migrations, one process at a time: on Postgres behind an advisory lock, on SQLite behind a lock file.

use std::{fs::File, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::ValueEnum;
use migration::Migrator;
use platform::{
    config::{Config, EXIT_CODE, Role, environment},
    database::{Database, DatabaseUrl, Pool},
};
use sea_orm_migration::MigratorTrait;

/// The number of the advisory lock: any, as long as it stays the same.
const LOCK: i64 = 7_305_804_402_466_843_748;

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
        run(&database, &config.database_url, direction).await?;
    }
    for line in status(&database).await? {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Applies what is missing, or takes one step back, while nobody else does.
///
/// # Errors
/// When the lock can't be had or a migration fails.
pub async fn run(database: &Database, url: &DatabaseUrl, direction: Direction) -> anyhow::Result<()> {
    match (database.pool(), url) {
        (Pool::Postgres(pool), _) => {
            let mut holder = pool.acquire().await?;
            sqlx::query("SET statement_timeout = 0").execute(&mut *holder).await?;
            sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut *holder).await?;
            let done = step(database, direction).await;
            sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut *holder).await?;
            holder.close_on_drop();
            done
        }
        (Pool::Sqlite(_), DatabaseUrl::Sqlite(path)) => {
            let _lock = lock_file(path).await?;
            step(database, direction).await
        }
        (Pool::Sqlite(_), DatabaseUrl::Postgres(_)) => unreachable!("a pool is of its URL's kind"),
    }
}

async fn step(database: &Database, direction: Direction) -> anyhow::Result<()> {
    match direction {
        Direction::Up => {
            let pending = Migrator::get_pending_migrations(database.writer()).await?.len();
            Migrator::up(database.writer(), None).await?;
            if pending > 0 {
                tracing::info!(applied = pending, "the schema is up to date");
            }
        }
        Direction::Down => Migrator::down(database.writer(), Some(1)).await?,
        Direction::Status => {}
    }
    Ok(())
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
    let path = database.with_extension("migrate.lock");
    let lock = File::create(&path).with_context(|| format!("{} can't be made", path.display()))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    Ok(lock)
}
