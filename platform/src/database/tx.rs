//! A transaction on either database. Dropped without a commit, it is rolled back.

use sqlx::{Postgres, Sqlite, Transaction};

use super::{DatabaseError, Pool};

/// A transaction that writes.
pub enum Tx {
    /// On Postgres.
    Postgres(Transaction<'static, Postgres>),
    /// On SQLite's one writing connection.
    Sqlite(Transaction<'static, Sqlite>),
}

impl Tx {
    pub(super) async fn begin(pool: &Pool) -> Result<Self, DatabaseError> {
        Ok(match pool {
            Pool::Postgres(pool) => Self::Postgres(pool.begin().await?),
            Pool::Sqlite(pool) => Self::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
        })
    }

    /// Commits. After an error the outcome is unknown: it may have been written.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self {
            Self::Postgres(tx) => tx.commit().await?,
            Self::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Rolls back, and waits until it is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rollback(self) -> Result<(), DatabaseError> {
        match self {
            Self::Postgres(tx) => tx.rollback().await?,
            Self::Sqlite(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}
