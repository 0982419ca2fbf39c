//! The one database, SQLite or Postgres, as pools for plain queries (sea-orm) and for bulk statements (sqlx).
//! Knows no table: statements live where the work is.

mod batch_transaction;
mod postgres;
mod server_clock;
mod sqlite;
mod tx;
mod wal;
mod write_permit;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use domain::clock::Millis;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sqlx::{PgPool, SqlitePool};

pub use batch_transaction::{BatchTransaction, BatchTransactionError, Done};
pub use tx::Tx;
pub use write_permit::WritePermit;

use self::server_clock::ServerClock;
use crate::{clock::Clock, supervisor::Service};

/// Longest that a transaction of the engine may take before the way to the database counts as broken. Above the server's
/// own `statement_timeout`: this is for a server that vanished without a word.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(35);
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
    /// Whether the database answered, and what it refused is the data it was given: trying again is no use.
    ///
    /// Postgres classes 21, 22, 23, 44 and 54 (data, constraints, limits); SQLite too big, constraint, mismatch. Anything
    /// else – it shuts down, became read-only, its disk is full, a lock was not had – passes, or is somebody's to mend.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        const POSTGRES: [&str; 5] = ["21", "22", "23", "44", "54"];
        const SQLITE: [i32; 3] = [18, 19, 20];
        let Self::Sqlx(sqlx::Error::Database(answer)) = self else { return false };
        let Some(code) = answer.code() else { return false };
        match answer.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
            // Extended codes carry the primary one in their low byte.
            Some(_) => code.parse::<i32>().is_ok_and(|code| SQLITE.contains(&(code & 0xff))),
            None => POSTGRES.iter().any(|class| code.starts_with(class)),
        }
    }
}

/// Waits for `statements` as long as a server that lives would take.
///
/// # Errors
/// Its own, or [`DatabaseError::Deadline`]: then it is not known whether they were carried out.
pub async fn within_deadline<T, E>(statements: impl Future<Output = Result<T, E>>) -> Result<T, DatabaseError>
where
    DatabaseError: From<E>,
{
    match tokio::time::timeout(STATEMENT_DEADLINE, statements).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(DatabaseError::Deadline(STATEMENT_DEADLINE)),
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

impl Pool {
    async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite(pool) => pool.close().await,
        }
    }
}

/// The database; clones share its pools.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    grouped: Pool,
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    server_clock: ServerClock,
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

    /// Connections for migrations of a Postgres: no limit on how long a statement takes, and a wait for locks that is
    /// short, because every statement that comes after a waiting one waits as well.
    ///
    /// # Errors
    /// When it can't be reached.
    pub async fn connect_for_migrations(url: &str) -> Result<PgPool, DatabaseError> {
        postgres::connect_for_migrations(url).await
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

    /// For the statements that group the work of many, always the same ones: on Postgres connections of their own, where each
    /// is planned once, for any number of rows, and finds these by index. On SQLite the connection that writes.
    #[must_use]
    pub const fn grouped(&self) -> &Pool {
        &self.grouped
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// When no connection can be had, or its lock.
    pub async fn begin(&self) -> Result<Tx, DatabaseError> {
        Tx::begin(&self.pool).await
    }

    /// The same where [`Self::grouped`] statements are all it runs.
    ///
    /// # Errors
    /// When no connection can be had, or its lock.
    pub async fn begin_grouped(&self) -> Result<Tx, DatabaseError> {
        Tx::begin(&self.grouped).await
    }

    /// Waits for the turn to write. A caller that groups what it writes takes what waits when its turn has come, not before.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn write_permit(&self) -> Result<WritePermit, DatabaseError> {
        Ok(match &self.grouped {
            Pool::Postgres(pool) => WritePermit::Postgres(pool.clone()),
            Pool::Sqlite(pool) => WritePermit::Sqlite(pool.acquire().await?),
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

    /// The time that due times and leases are compared with: the server's, or this process's where it is alone.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn now(&self, clock: &Clock) -> Result<Millis, DatabaseError> {
        Ok(match &self.pool {
            Pool::Postgres(pool) => {
                let now = sqlx::query_scalar("SELECT now_ms() + $1").bind(clock.offset_ms());
                Millis(now.fetch_one(pool).await?)
            }
            Pool::Sqlite(_) => clock.now(),
        })
    }

    /// Remembers the time that a statement returned: `now` as [`Self::now`] gives it, asked for at `asked_at`.
    pub fn observe_time(&self, clock: &Clock, now: Millis, asked_at: Instant) {
        self.server_clock.observe(Millis(now.0.saturating_sub(clock.offset_ms())), asked_at);
    }

    /// The time that leases are compared with, without a statement: from the last one that returned it, or the process's
    /// own before the first. On Postgres never behind the server's clock by more than clocks drift between two looks.
    #[must_use]
    pub fn estimated_now(&self, clock: &Clock) -> Millis {
        match &self.pool {
            Pool::Postgres(_) => match self.server_clock.now() {
                Some(now) => Millis(now.0.saturating_add(clock.offset_ms())),
                None => clock.now(),
            },
            Pool::Sqlite(_) => clock.now(),
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

    /// The service that keeps SQLite's write-ahead log small; one that ends at once on Postgres.
    #[must_use]
    pub fn upkeep(&self) -> Service {
        let pool = self.pool.clone();
        Service::new("database-upkeep", move |stop| async move {
            if let Pool::Sqlite(writer) = pool {
                wal::keep_small(writer.connect_options().get_filename(), &stop).await;
            }
            Ok(())
        })
    }

    /// Closes every connection; what is under way ends first.
    pub async fn close(&self) {
        if let Pool::Sqlite(_) = &self.pool {
            self.reader.get_sqlite_connection_pool().close().await;
        }
        tokio::join!(self.pool.close(), self.grouped.close());
    }
}
