//! The database, SQLite or Postgres, as pools for plain queries (sea-orm) and for bulk statements (sqlx).
//! Knows no table: `entity` has the statements.

mod batch_transaction;
mod error;
mod pool;
mod postgres;
mod server_clock;
mod sqlite;
mod tx;
mod url;
mod wal;
mod write_permit;

use std::time::{Duration, Instant};

use domain::clock::Millis;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sqlx::PgPool;

pub use batch_transaction::{BatchOutcome, BatchTransaction, BatchTransactionError};
pub use error::DatabaseError;
pub use pool::Pool;
pub use tx::Tx;
pub use url::DatabaseUrl;
pub use write_permit::WritePermit;

use self::{pool::Pools, server_clock::ServerClock};
use crate::{clock::Clock, supervisor::Service};

/// Longest time of a transaction of the engine before the connection counts as broken. Above the server's own
/// `statement_timeout`: this catches a server that vanished without closing the connection.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(35);
/// Longest wait of a health check.
const PING_DEADLINE: Duration = Duration::from_secs(2);

/// Waits for `statements`, at most as long as a live server would take.
///
/// # Errors
/// Returns the errors of `statements`, or [`DatabaseError::Deadline`]: then their outcome is unknown.
pub async fn within_deadline<T, E>(statements: impl Future<Output = Result<T, E>>) -> Result<T, DatabaseError>
where
    DatabaseError: From<E>,
{
    match tokio::time::timeout(STATEMENT_DEADLINE, statements).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(DatabaseError::Deadline(STATEMENT_DEADLINE)),
    }
}

/// The database; clones share its pools.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Pools,
    server_clock: ServerClock,
}

impl Database {
    /// Connects; creates a missing SQLite file.
    ///
    /// # Errors
    /// When it can't be reached or the file can't be created.
    pub async fn connect(url: &DatabaseUrl) -> Result<Self, DatabaseError> {
        let pools = match url {
            DatabaseUrl::Sqlite(path) => sqlite::connect(path).await?,
            DatabaseUrl::Postgres(url) => postgres::connect(url).await?,
        };
        Ok(Self { pools, server_clock: ServerClock::default() })
    }

    /// Connects for migrations of Postgres: no statement timeout, and a short lock timeout, because every statement that
    /// comes after a waiting one waits as well.
    ///
    /// # Errors
    /// When it can't be reached.
    pub async fn connect_for_migrations(url: &str) -> Result<PgPool, DatabaseError> {
        postgres::connect_for_migrations(url).await
    }

    /// Returns the connection for plain reads; on SQLite a read-only pool.
    #[must_use]
    pub const fn reader(&self) -> &DatabaseConnection {
        &self.pools.reader
    }

    /// Returns the connection for plain writes; on SQLite the single writer, so hold it briefly.
    #[must_use]
    pub const fn writer(&self) -> &DatabaseConnection {
        &self.pools.writer
    }

    /// Returns the pool for bulk statements.
    #[must_use]
    pub const fn pool(&self) -> &Pool {
        &self.pools.bulk
    }

    /// Returns the pool for the grouped statements of the engine. On Postgres these connections plan each statement once, for
    /// any number of rows, so that it finds rows by index. On SQLite this is the writer.
    #[must_use]
    pub const fn grouped(&self) -> &Pool {
        &self.pools.grouped
    }

    /// Begins a write transaction.
    ///
    /// # Errors
    /// When no connection or lock is available.
    pub async fn begin(&self) -> Result<Tx, DatabaseError> {
        Tx::begin(&self.pools.bulk).await
    }

    /// Begins a write transaction that runs only [`Self::grouped`] statements.
    ///
    /// # Errors
    /// When no connection or lock is available.
    pub async fn begin_grouped(&self) -> Result<Tx, DatabaseError> {
        Tx::begin(&self.pools.grouped).await
    }

    /// Waits for permission to write. A caller that groups writes collects its group after this returns, not before.
    ///
    /// # Errors
    /// When no connection is available.
    pub async fn write_permit(&self) -> Result<WritePermit, DatabaseError> {
        Ok(match &self.pools.grouped {
            Pool::Postgres(pool) => WritePermit::Postgres(pool.clone()),
            Pool::Sqlite(pool) => WritePermit::Sqlite(pool.acquire().await?),
        })
    }

    /// Returns the time that statements bind: on SQLite the current time, on Postgres an offset that is added to the server's
    /// clock, so that a process with a wrong clock can't claim early.
    #[must_use]
    pub fn statement_time(&self, clock: &Clock) -> i64 {
        match &self.pools.bulk {
            Pool::Postgres(_) => clock.offset_ms(),
            Pool::Sqlite(_) => clock.now().0,
        }
    }

    /// Returns the time that due times and leases are compared with: the server's on Postgres, the process's on SQLite.
    ///
    /// # Errors
    /// Returns the errors of the database.
    pub async fn now(&self, clock: &Clock) -> Result<Millis, DatabaseError> {
        Ok(match &self.pools.bulk {
            Pool::Postgres(pool) => {
                let now = sqlx::query_scalar("SELECT now_ms() + $1").bind(clock.offset_ms());
                Millis(now.fetch_one(pool).await?)
            }
            Pool::Sqlite(_) => clock.now(),
        })
    }

    /// Stores the time that a statement returned: `now` as [`Self::now`] returns it, requested at `asked_at`.
    pub fn observe_time(&self, clock: &Clock, now: Millis, asked_at: Instant) {
        self.server_clock.observe(Millis(now.0.saturating_sub(clock.offset_ms())), asked_at);
    }

    /// Estimates [`Self::now`] without a statement, from the last one that returned the time, or from the process's clock
    /// before the first. On Postgres it lags the server by at most the clock drift since that statement.
    #[must_use]
    pub fn estimated_now(&self, clock: &Clock) -> Millis {
        match &self.pools.bulk {
            Pool::Postgres(_) => match self.server_clock.now() {
                Some(now) => Millis(now.0.saturating_add(clock.offset_ms())),
                None => clock.now(),
            },
            Pool::Sqlite(_) => clock.now(),
        }
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// When it does not answer within two seconds.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        let question = self.pools.reader.execute_unprepared("SELECT 1");
        match tokio::time::timeout(PING_DEADLINE, question).await {
            Ok(answer) => Ok(answer.map(drop)?),
            Err(_) => Err(DatabaseError::Deadline(PING_DEADLINE)),
        }
    }

    /// Returns the service that keeps SQLite's write-ahead log small; on Postgres it ends at once.
    #[must_use]
    pub fn upkeep(&self) -> Service {
        let pool = self.pools.bulk.clone();
        Service::new("database-upkeep", move |stop| async move {
            if let Pool::Sqlite(writer) = pool {
                wal::keep_small(writer.connect_options().get_filename(), &stop).await;
            }
            Ok(())
        })
    }

    /// Closes every connection after statements in progress have finished.
    pub async fn close(&self) {
        if let Pool::Sqlite(_) = &self.pools.bulk {
            self.pools.reader.get_sqlite_connection_pool().close().await;
        }
        tokio::join!(self.pools.bulk.close(), self.pools.grouped.close());
    }
}
