//! Days on Postgres: a day's partitions of events, finished deliveries and attempts are dropped together, once nothing
//! that came in on it is unfinished.

use domain::clock::Millis;
use platform::database::{Database, DatabaseError, Pool, within_deadline};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use uuid::Uuid;

/// The tables that are partitioned by day.
const TABLES: [&str; 3] = ["attempt", "finished_delivery", "event"];

/// A day that has partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// `YYYYMMDD`, the end of its partitions' names.
    name: String,
    /// Its smallest id.
    first: Uuid,
    /// The next day's smallest id.
    next: Uuid,
}

from_row!(Day { name, first, next });

// Only names that `make_partitions` gave: eight digits.
const DAYS_BEFORE: &str =
    "SELECT DISTINCT name, first_uuid_of_day(day) AS first, first_uuid_of_day(day + 1) AS next
    FROM (
        SELECT right(child.relname, 8) AS name, to_date(right(child.relname, 8), 'YYYYMMDD') AS day
        FROM pg_inherits i
        JOIN pg_class child ON child.oid = i.inhrelid
        WHERE i.inhparent = ANY($1::text[]::regclass[]) AND child.relname ~ '_[0-9]{8}$'
    ) AS made
    WHERE extract(epoch FROM (day + 1)::timestamp) * 1000 <= $2
    ORDER BY name";

// What is under way keeps its day: its event, and what is known of its attempts so far. So does a broadcast that has yet to
// make deliveries, and a dead letter that has not moved yet.
const IN_USE: &str = "SELECT EXISTS (SELECT 1 FROM delivery WHERE id >= $1 AND id < $2)
    OR EXISTS (SELECT 1 FROM broadcast WHERE state = 'running' AND event_id >= $1 AND event_id < $2)
    OR EXISTS (SELECT 1 FROM delivery WHERE event_id >= $1 AND event_id < $2)
    OR EXISTS (SELECT 1 FROM finished_delivery WHERE state = 'dead' AND id >= $1 AND id < $2)
    OR EXISTS (SELECT 1 FROM finished_delivery WHERE state = 'dead' AND event_id >= $1 AND event_id < $2)";

impl Day {
    /// Its name, `YYYYMMDD`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Whether a day was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// It was.
    Yes,
    /// Something that came in on it is unfinished.
    Unfinished,
    /// Its locks could not be had at once: accepts queue up behind a drop that waits.
    Busy,
}

/// Returns the days that ended before `cutoff` and have partitions, oldest first; none on SQLite.
///
/// # Errors
/// Those of the database.
pub async fn days_before(database: &Database, cutoff: Millis) -> Result<Vec<Day>, DatabaseError> {
    let Pool::Postgres(pool) = database.pool() else { return Ok(vec![]) };
    Ok(sqlx::query_as(DAYS_BEFORE).bind(TABLES.as_slice()).bind(cutoff.0).fetch_all(pool).await?)
}

/// Drops the partitions of a day, unless it is in use.
///
/// # Errors
/// Those of the database.
pub async fn drop_day(database: &Database, day: &Day) -> Result<Dropped, DatabaseError> {
    let Pool::Postgres(pool) = database.pool() else { return Ok(Dropped::Unfinished) };
    within_deadline(drop_unless_in_use(pool, day)).await
}

async fn drop_unless_in_use(pool: &PgPool, day: &Day) -> sqlx::Result<Dropped> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    sqlx::query("SET LOCAL lock_timeout = '200ms'").execute(&mut *tx).await?;
    match drop_in(&mut tx, day).await {
        Ok(true) => tx.commit().await.map(|()| Dropped::Yes),
        Ok(false) => Ok(Dropped::Unfinished),
        Err(error) if is_lock_timeout(&error) => Ok(Dropped::Busy),
        Err(error) => Err(error),
    }
}

async fn drop_in(tx: &mut PgConnection, day: &Day) -> sqlx::Result<bool> {
    // Locked before it is looked at: who makes a delivery of an old event reads that event in the same transaction.
    for table in TABLES {
        let lock = format!("LOCK TABLE {table}_{} IN ACCESS EXCLUSIVE MODE", day.name);
        sqlx::query(AssertSqlSafe(lock)).execute(&mut *tx).await?;
    }
    if sqlx::query_scalar(IN_USE).bind(day.first).bind(day.next).fetch_one(&mut *tx).await? {
        return Ok(false);
    }
    for table in TABLES {
        let drop = format!("DROP TABLE {table}_{}", day.name);
        sqlx::query(AssertSqlSafe(drop)).execute(&mut *tx).await?;
    }
    Ok(true)
}

/// SQLSTATE 55P03, or 42P01: another worker has dropped it meanwhile.
fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("55P03" | "42P01"))
}
