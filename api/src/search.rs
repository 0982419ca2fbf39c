//! Searches that callers word: few at once, and each with a limit of time that the database keeps, so that none of them
//! can stall the service, whatever it looks for.

mod time_limit;

use std::time::Duration;

use domain::{clock::millis, problem::ProblemCode};
use entity::sql_builder::SqlBuilder;
use platform::database::Pool;
use sqlx::{
    AssertSqlSafe, Error, FromRow, PgPool, SqlitePool, postgres::PgRow, sqlite::SqliteError,
    sqlite::SqliteRow,
};

use self::time_limit::TimeLimited;
use crate::{app::App, problem::Problem};

/// What Postgres says to a statement that took too long.
const POSTGRES_CANCELLED: &str = "57014";
/// What SQLite says to one.
const SQLITE_INTERRUPTED: &str = "9";

/// A row of either database.
pub(crate) trait Found:
    for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

impl<Row> Found for Row where
    Row: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

/// The rows of a search, which waits for its turn first.
pub(crate) async fn search<Row: Found>(app: &App, pieces: SqlBuilder) -> Result<Vec<Row>, Problem> {
    let turn = std::sync::Arc::clone(&app.searching).acquire_owned();
    let Ok(Ok(turn)) = tokio::time::timeout(app.limits.search, turn).await else {
        return Err(ProblemCode::SearchTooSlow.into());
    };
    let app = app.clone();
    // A task of its own: when the caller leaves, the turn lasts until the database is done.
    let search = tokio::spawn(async move {
        let found = look(&app, &pieces).await;
        drop(turn);
        found
    });
    search.await.map_err(|error| Problem::internal("a search broke", error))?
}

/// The rows of a statement that is quick by an index: it waits for no other search.
pub(crate) async fn look<Row: Found>(app: &App, pieces: &SqlBuilder) -> Result<Vec<Row>, Problem> {
    let database = &app.context.database;
    let (time, most) = (database.statement_time(&app.context.clock), app.limits.search);
    let found = match database.pool() {
        Pool::Postgres(pool) => postgres(pool, pieces, time, most).await,
        Pool::Sqlite(_) => sqlite(database.reader().get_sqlite_connection_pool(), pieces, time, most).await,
    };
    found.map_err(|error| told(&error))
}

async fn postgres<Row: Found>(
    pool: &PgPool,
    pieces: &SqlBuilder,
    offset: i64,
    most: Duration,
) -> Result<Vec<Row>, Error> {
    let mut tx = pool.begin().await?;
    let limit = AssertSqlSafe(format!("SET LOCAL statement_timeout = {}", millis(most).max(1)));
    sqlx::raw_sql(limit).execute(&mut *tx).await?;
    let found = pieces.postgres(offset).build_query_as().fetch_all(&mut *tx).await?;
    tx.rollback().await?;
    Ok(found)
}

async fn sqlite<Row: Found>(
    pool: &SqlitePool,
    pieces: &SqlBuilder,
    now: i64,
    most: Duration,
) -> Result<Vec<Row>, Error> {
    let mut limited = TimeLimited::start(pool.acquire().await?, most).await?;
    let found = pieces.sqlite(now).build_query_as().fetch_all(limited.connection()).await;
    limited.finish().await?;
    found
}

fn told(error: &Error) -> Problem {
    if is_timeout(error) {
        return ProblemCode::SearchTooSlow.into();
    }
    Problem::unavailable("a search failed", error)
}

fn is_timeout(error: &Error) -> bool {
    let Error::Database(answer) = error else { return false };
    let code = answer.code();
    match answer.try_downcast_ref::<SqliteError>() {
        Some(_) => code.as_deref() == Some(SQLITE_INTERRUPTED),
        None => code.as_deref() == Some(POSTGRES_CANCELLED),
    }
}
