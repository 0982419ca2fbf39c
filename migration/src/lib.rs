//! The schema's history for SQLite and Postgres. Frozen: a landed migration is never edited, and none imports our code.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, DbErr},
};

mod m20261122_000001_spine;
mod m20261124_000001_delivery_engine;
mod m20261124_000002_replays;
mod m20261124_000003_retention;
mod m20261125_000001_messages;
mod m20261125_000002_notifications;
mod m20261127_000001_due_by_lane;
mod m20261128_000001_one_lease;
mod m20261128_000002_strangers;
pub mod runner;

/// Every migration, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_spine::Migration),
            Box::new(m20261124_000001_delivery_engine::Migration),
            Box::new(m20261124_000002_replays::Migration),
            Box::new(m20261124_000003_retention::Migration),
            Box::new(m20261125_000001_messages::Migration),
            Box::new(m20261125_000002_notifications::Migration),
            Box::new(m20261127_000001_due_by_lane::Migration),
            Box::new(m20261128_000001_one_lease::Migration),
            Box::new(m20261128_000002_strangers::Migration),
        ]
    }
}

/// The schema cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Migrations are missing.
    #[error("the database is behind (migrations missing: {0}): run `hookyard migrate up`")]
    Behind(usize),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Checks that every migration is applied.
///
/// # Errors
/// When some are missing, or the database does not answer.
pub async fn ensure_applied(database: &DatabaseConnection) -> Result<(), SchemaError> {
    match Migrator::get_pending_migrations(database).await?.len() {
        0 => Ok(()),
        missing => Err(SchemaError::Behind(missing)),
    }
}
