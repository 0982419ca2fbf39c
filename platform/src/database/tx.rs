//! A transaction on either database. Dropped without a commit, it is rolled back.

use sqlx::{Postgres, Sqlite, Transaction};

use super::{DatabaseError, Pool};

/// A write transaction.
pub enum Tx {
    /// On Postgres.
    Postgres(Transaction<'static, Postgres>),
    /// On SQLite's writer connection.
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
    /// Returns the errors of the database.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self {
            Self::Postgres(tx) => tx.commit().await?,
            Self::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Rolls back, and waits until that is done.
    ///
    /// # Errors
    /// Returns the errors of the database.
    pub async fn rollback(self) -> Result<(), DatabaseError> {
        match self {
            Self::Postgres(tx) => tx.rollback().await?,
            Self::Sqlite(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::database::{Database, DatabaseError, DatabaseUrl, Tx};

    /// More polls than a transaction needs.
    const MOST_POLLS: usize = 60;

    async fn write(database: &Database) -> Result<(), DatabaseError> {
        let mut tx = database.begin().await?;
        let Tx::Sqlite(sqlite) = &mut tx else { unreachable!("it is a file") };
        sqlx::query("INSERT INTO t DEFAULT VALUES").execute(&mut **sqlite).await?;
        tx.commit().await
    }

    /// Drops a transaction after each number of polls: the next one must begin all the same.
    #[tokio::test]
    async fn a_transaction_that_is_dropped_at_any_await_leaves_the_writer_usable() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = DatabaseUrl::Sqlite(folder.path().join("app.db"));
        let database = Database::connect(&url).await.expect("a database");
        let mut tx = database.begin().await.expect("begun");
        let Tx::Sqlite(sqlite) = &mut tx else { unreachable!("it is a file") };
        sqlx::query("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT")
            .execute(&mut **sqlite)
            .await
            .expect("made");
        tx.commit().await.expect("committed");
        for polls in 0..MOST_POLLS {
            let mut dropped = Box::pin(write(&database));
            for _ in 0..polls {
                if futures_util::poll!(dropped.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(dropped);
            write(&database).await.unwrap_or_else(|error| panic!("after {polls} polls: {error}"));
        }
    }
}
