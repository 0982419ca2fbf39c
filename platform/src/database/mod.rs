//! The one database, SQLite or Postgres, as pools for plain queries (sea-orm) and for bulk statements (sqlx).
//! Knows no table: statements live where the work is.

mod postgres;
mod sqlite;
mod tx;

use std::{path::PathBuf, time::Duration};

use sea_orm::{ConnectionTrait, DatabaseConnection};
use sqlx::{PgPool, SqlitePool};

pub use tx::Tx;

use crate::clock::Clock;

/// Longest wait of a health check.
const PING_DEADLINE: Duration = Duration::from_secs(2);

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, made if missing.
    Sqlite(PathBuf),
    /// A `postgres://` address, password and all: never printed.
    Postgres(String),
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// The database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A statement or the connection failed.
    #[error("database: {0}")]
    Sqlx(#[from] sqlx::Error),
    /// The same, by way of sea-orm.
    #[error("database: {0}")]
    Orm(#[from] sea_orm::DbErr),
    /// It did not answer in time.
    #[error("the database did not answer within {0:?}")]
    Deadline(Duration),
    /// The folder for the file can't be made.
    #[error("{0}: {1}")]
    Folder(PathBuf, std::io::Error),
}

impl DatabaseError {
    /// Whether the database answered and refused what it was given; otherwise it, or the way to it, is what failed.
    ///
    /// Not refusals: it shuts down, is out of resources, a lock was not had (Postgres classes 40, 53, 55, 57, 58;
    /// SQLite busy, locked, I/O error, full).
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        const POSTGRES: [&str; 5] = ["40", "53", "55", "57", "58"];
        const SQLITE: [i32; 4] = [5, 6, 10, 13];
        let Self::Sqlx(sqlx::Error::Database(answer)) = self else { return false };
        let Some(code) = answer.code() else { return true };
        match answer.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
            // Extended codes carry the primary one in their low byte.
            Some(_) => code.parse::<i32>().map_or(true, |code| !SQLITE.contains(&(code & 0xff))),
            None => !POSTGRES.iter().any(|class| code.starts_with(class)),
        }
    }
}

/// The pools for statements that sea-orm has no words for.
#[derive(Clone, Debug)]
pub enum Pool {
    /// Many connections, any of them writes.
    Postgres(PgPool),
    /// The one connection that writes. Begin with `BEGIN IMMEDIATE`.
    Sqlite(SqlitePool),
}

/// The database; clones share its pools.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    reader: DatabaseConnection,
    writer: DatabaseConnection,
}

impl Database {
    /// Connects, and makes a SQLite file that is missing.
    ///
    /// # Errors
    /// When it can't be reached or the file can't be made.
    pub async fn connect(url: &DatabaseUrl) -> Result<Self, DatabaseError> {
        match url {
            DatabaseUrl::Sqlite(path) => sqlite::connect(path).await,
            DatabaseUrl::Postgres(url) => postgres::connect(url).await,
        }
    }

    /// For plain reads; on SQLite a pool that cannot write.
    #[must_use]
    pub const fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For plain writes; on SQLite the one connection that writes, so hold it briefly.
    #[must_use]
    pub const fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// For bulk statements.
    #[must_use]
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// When no connection can be had, or its lock.
    pub async fn begin(&self) -> Result<Tx, DatabaseError> {
        Ok(match &self.pool {
            Pool::Postgres(pool) => Tx::Postgres(pool.begin().await?),
            Pool::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
        })
    }

    /// What statements bind as the time: on SQLite now, on Postgres the offset that is added to the server's own
    /// clock, so that a process whose clock is wrong steals nothing.
    #[must_use]
    pub fn statement_time(&self, clock: &Clock) -> i64 {
        match &self.pool {
            Pool::Postgres(_) => clock.offset_ms(),
            Pool::Sqlite(_) => clock.now().0,
        }
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// When there is none within two seconds.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        let question = self.reader.execute_unprepared("SELECT 1");
        match tokio::time::timeout(PING_DEADLINE, question).await {
            Ok(answer) => Ok(answer.map(drop)?),
            Err(_) => Err(DatabaseError::Deadline(PING_DEADLINE)),
        }
    }

    /// Closes every connection; what is under way ends first.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Postgres(pool) => pool.close().await,
            Pool::Sqlite(pool) => {
                self.reader.get_sqlite_connection_pool().close().await;
                pool.close().await;
            }
        }
    }
}
