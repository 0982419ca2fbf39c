//! Runs migrations step by step, and tells what was applied. On Postgres one process at a time does, behind an advisory lock;
//! on SQLite the caller sees to that.

mod postgres;

use anyhow::Result;
use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{DatabaseConnection, DbErr},
};

use crate::Migrator;

pub use postgres::run_on_postgres;

/// Where a sentence on the progress goes.
pub type Report<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Applies what is missing.
    Up,
    /// Takes the last one back.
    Down,
}

/// Returns the names of the migrations that were applied, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn applied(database: &DatabaseConnection) -> Result<Vec<String>> {
    let applied = Migrator::get_applied_migrations(database).await?;
    Ok(applied.iter().map(|migration| migration.name().to_owned()).collect())
}

/// Returns the names of the migrations that are missing, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn pending(database: &DatabaseConnection) -> Result<Vec<String>> {
    let pending = Migrator::get_pending_migrations(database).await?;
    Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
}

/// Applies what is missing, or takes one step back, by connections of the caller's. No other process may do so meanwhile.
///
/// # Errors
/// When a migration fails.
pub async fn run(database: &DatabaseConnection, direction: Direction, report: Report<'_>) -> Result<()> {
    while let Some(step) = next_step(database, direction).await? {
        report(&format!("{step}: begins"));
        take_step(database, direction).await?;
        report(&format!("{step}: done"));
        if direction == Direction::Down {
            break;
        }
    }
    Ok(())
}

/// The name of the migration that comes next.
async fn next_step(database: &DatabaseConnection, direction: Direction) -> Result<Option<String>> {
    Ok(match direction {
        Direction::Up => pending(database).await?.into_iter().next(),
        Direction::Down => applied(database).await?.pop(),
    })
}

async fn take_step(database: &DatabaseConnection, direction: Direction) -> Result<(), DbErr> {
    match direction {
        Direction::Up => Migrator::up(database, Some(1)).await,
        Direction::Down => Migrator::down(database, Some(1)).await,
    }
}
