//! Partitions of the days to come. A missing one is made beside its table and attached: that needs a lock which a backup
//! holds off, so it is never waited for long, and where nothing is missing no lock is taken at all.

use platform::database::{Database, DatabaseError, Pool};
use sqlx::{AssertSqlSafe, Connection, PgPool, postgres::PgConnection};

/// The lock that `make_partitions` of the schema holds, too.
const ONE_AT_A_TIME: &str = "SELECT pg_try_advisory_xact_lock(4815162342)";
/// What waits for the lock holds up every statement that comes after it on the same table.
const BOUNDS: &str = "SET LOCAL lock_timeout = '100ms'; SET LOCAL statement_timeout = '10s'";

// Reads the catalog alone: no lock on the tables.
const MISSING: &str = "SELECT parent, parent || '_' || to_char(day, 'YYYYMMDD') AS name,
        first_uuid_of_day(day)::text AS first, first_uuid_of_day(day + 1)::text AS next
    FROM unnest(ARRAY['attempt', 'finished_delivery', 'event']) AS parent,
        LATERAL (SELECT (now() AT TIME ZONE 'UTC')::date + n AS day FROM generate_series(0, $1) AS n) AS days
    WHERE NOT EXISTS (SELECT 1 FROM pg_inherits i JOIN pg_class child ON child.oid = i.inhrelid
        WHERE i.inhparent = parent::regclass AND child.relname = parent || '_' || to_char(day, 'YYYYMMDD'))
    ORDER BY day, parent";

/// A partition that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    parent: String,
    name: String,
    first: String,
    next: String,
}

from_row!(Missing { parent, name, first, next });

impl Missing {
    /// The name that it will have.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The result of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was made.
    Made,
    /// A lock on the table could not be had.
    Busy,
    /// Another worker makes partitions, or has made this one.
    Elsewhere,
    /// Rows of that day lie in the default partition: there they stay.
    InDefault,
}

/// Returns the partitions of today and of `days` more that are missing; none on SQLite.
///
/// # Errors
/// Those of the database.
pub async fn missing(database: &Database, days: i32) -> Result<Vec<Missing>, DatabaseError> {
    let Pool::Postgres(pool) = database.pool() else { return Ok(vec![]) };
    Ok(sqlx::query_as(MISSING).bind(days).fetch_all(pool).await?)
}

/// Tries to make a partition. Waits for no lock longer than 100 ms.
///
/// # Errors
/// Those of the database but for locks that can't be had.
pub async fn try_to_make(database: &Database, partition: &Missing) -> Result<Tried, DatabaseError> {
    let Pool::Postgres(pool) = database.pool() else { return Ok(Tried::Elsewhere) };
    Ok(make(pool, partition).await?)
}

async fn make(pool: &PgPool, partition: &Missing) -> sqlx::Result<Tried> {
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    sqlx::raw_sql(BOUNDS).execute(&mut *tx).await?;
    if !sqlx::query_scalar::<_, bool>(ONE_AT_A_TIME).fetch_one(&mut *tx).await? {
        return Ok(Tried::Elsewhere);
    }
    match attach(&mut tx, partition).await {
        Ok(()) => tx.commit().await.map(|()| Tried::Made),
        Err(error) => {
            // Now, not when the pool cleans the connection up: the next try would find its advisory lock taken.
            tx.rollback().await?;
            refused(error)
        }
    }
}

async fn attach(tx: &mut PgConnection, Missing { parent, name, first, next }: &Missing) -> sqlx::Result<()> {
    // Names come from the catalog's own tables and a date, ids from a function: nothing of a caller's is in them.
    let make = format!("CREATE TABLE {name} (LIKE {parent} INCLUDING ALL)");
    let attach =
        format!("ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{next}')");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut *tx).await?;
    sqlx::raw_sql(AssertSqlSafe(attach)).execute(&mut *tx).await?;
    Ok(())
}

/// SQLSTATE 55P03: no lock; 57014: it took too long; 42P07, 23505: another worker was faster; 23514: rows of that day lie in
/// the default partition.
fn refused(error: sqlx::Error) -> sqlx::Result<Tried> {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some("55P03" | "57014") => Ok(Tried::Busy),
        Some("42P07" | "23505") => Ok(Tried::Elsewhere),
        Some("23514") => Ok(Tried::InDefault),
        _ => Err(error),
    }
}
