//! Reads that callers word, each with a limit of time that the database keeps, so that none of them can stall the service,
//! whatever it looks for.

mod connection;

use std::time::Duration;

use domain::clock::millis;
use platform::{
    clock::Clock,
    database::{Database, DatabaseError, Pool},
};
use sqlx::{
    AssertSqlSafe, Error, FromRow, PgPool, SqlitePool, postgres::PgRow, sqlite::SqliteError,
    sqlite::SqliteRow,
};

use self::connection::TimeLimited;
use crate::sql_builder::SqlBuilder;

/// What Postgres says to a statement that took too long.
const POSTGRES_CANCELLED: &str = "57014";
/// What SQLite says to one.
const SQLITE_INTERRUPTED: &str = "9";

/// A row of either database.
pub trait Found:
    for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

impl<Row> Found for Row where
    Row: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

/// A read has no result.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It took longer than it may.
    #[error("the read took too long")]
    TooSlow,
    /// The database failed.
    #[error(transparent)]
    Database(DatabaseError),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        if is_timeout(&error) { Self::TooSlow } else { Self::Database(error.into()) }
    }
}

/// Returns the rows of a statement that runs for `longest` at most.
///
/// # Errors
/// See [`ReadError`].
pub async fn read<Row: Found>(
    database: &Database,
    clock: &Clock,
    query: &SqlBuilder,
    longest: Duration,
) -> Result<Vec<Row>, ReadError> {
    let time = database.statement_time(clock);
    Ok(match database.pool() {
        Pool::Postgres(pool) => on_postgres(pool, query, time, longest).await?,
        Pool::Sqlite(_) => {
            on_sqlite(database.reader().get_sqlite_connection_pool(), query, time, longest).await?
        }
    })
}

async fn on_postgres<Row: Found>(
    pool: &PgPool,
    query: &SqlBuilder,
    offset: i64,
    longest: Duration,
) -> Result<Vec<Row>, Error> {
    let mut tx = pool.begin().await?;
    let limit = AssertSqlSafe(format!("SET LOCAL statement_timeout = {}", millis(longest).max(1)));
    sqlx::raw_sql(limit).execute(&mut *tx).await?;
    let found = query.postgres(offset).build_query_as().fetch_all(&mut *tx).await?;
    tx.rollback().await?;
    Ok(found)
}

async fn on_sqlite<Row: Found>(
    pool: &SqlitePool,
    query: &SqlBuilder,
    now: i64,
    longest: Duration,
) -> Result<Vec<Row>, Error> {
    let mut limited = TimeLimited::start(pool.acquire().await?, longest).await?;
    let found = query.sqlite(now).build_query_as().fetch_all(limited.connection()).await;
    limited.finish().await?;
    found
}

fn is_timeout(error: &Error) -> bool {
    let Error::Database(answer) = error else { return false };
    let code = answer.code();
    match answer.try_downcast_ref::<SqliteError>() {
        Some(_) => code.as_deref() == Some(SQLITE_INTERRUPTED),
        None => code.as_deref() == Some(POSTGRES_CANCELLED),
    }
}
