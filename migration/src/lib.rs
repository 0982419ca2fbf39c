//! The schema's history for SQLite and Postgres. Frozen: a landed migration is never edited, and none imports our code.

use sea_orm_migration::prelude::*;

mod m20261122_000001_spine;
mod m20261124_000001_delivery_engine;
mod m20261124_000002_replays;
mod m20261124_000003_retention;
mod m20261125_000001_messages;
mod m20261125_000002_notifications;
mod m20261127_000001_due_by_lane;
mod m20261128_000001_one_lease;
mod m20261128_000002_strangers;

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
