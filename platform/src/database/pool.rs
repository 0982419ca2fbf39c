//! The connection pools of the database.

use sea_orm::DatabaseConnection;
use sqlx::{PgPool, SqlitePool};

/// The pools for statements that sea-orm can't express.
#[derive(Clone, Debug)]
pub enum Pool {
    /// Many connections, any of them writes.
    Postgres(PgPool),
    /// The single writer connection. Begin with `BEGIN IMMEDIATE`.
    Sqlite(SqlitePool),
}

impl Pool {
    pub(super) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite(pool) => pool.close().await,
        }
    }
}

/// Every pool of the database.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    /// For bulk statements.
    pub(super) bulk: Pool,
    /// For the grouped statements of the engine.
    pub(super) grouped: Pool,
    /// For plain reads.
    pub(super) reader: DatabaseConnection,
    /// For plain writes.
    pub(super) writer: DatabaseConnection,
}
