//! Push services that have taken no message share one lane, and subscriptions remember whether a message reached them.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_000002_strangers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DatabaseBackend::Postgres => include_str!("up.postgres.sql"),
            _ => include_str!("up.sqlite.sql"),
        };
        manager.get_connection().execute_unprepared(statements).await.map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DatabaseBackend::Postgres => include_str!("down.postgres.sql"),
            _ => include_str!("down.sqlite.sql"),
        };
        manager.get_connection().execute_unprepared(statements).await.map(drop)
    }
}
