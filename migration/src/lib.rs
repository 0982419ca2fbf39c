//! The schema's history for SQLite and Postgres. Frozen: a landed migration is never edited, and none imports our code.

use sea_orm_migration::prelude::*;

mod m20261122_000001_spine;
mod m20261124_000001_delivery_engine;
mod m20261124_000002_replays;
mod m20261124_000003_retention;
            Box::new(m20261125_000001_messages::Migration),
