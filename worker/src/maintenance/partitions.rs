//! Partitions of the days to come, on Postgres. Without them rows would pile up in the default partitions. A missing one is
//! made beside its table and attached: that needs a lock which a backup holds off, so it is never waited for long, and
//! where nothing is missing no lock is taken at all.

use std::time::Duration;

use platform::{context::Context, database::Pool};
use sqlx::{AssertSqlSafe, Connection, PgPool, postgres::PgConnection};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(3600);
/// And when something is missing that could not be made.
const AGAIN: Duration = Duration::from_secs(300);
/// Days made ahead.
const AHEAD: i32 = 7;
/// Tries of one partition, and the wait between two.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

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

#[derive(sqlx::FromRow)]
struct Missing {
    parent: String,
    name: String,
    first: String,
    next: String,
}

/// What a look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partitions {
    /// Partitions that were made.
    pub made: usize,
    /// Partitions that are missing still.
    pub missing: usize,
    /// Partitions that another worker makes, or has made meanwhile.
    pub elsewhere: usize,
}

enum Tried {
    Made,
    /// A lock on the table could not be had.
    Busy,
    /// Another worker makes partitions, or has made this one.
    Elsewhere,
    /// Rows of that day lie in the default partition: there they stay.
    InDefault,
}

/// Makes partitions ahead until `stop`.
pub async fn partitions(context: Context, stop: CancellationToken) {
    let Pool::Postgres(pool) = context.database.pool() else { return };
    while !stop.is_cancelled() {
        let made = stop.run_until_cancelled(make_partitions(pool, AHEAD)).await;
        let pause = match made {
            None => return,
            Some(Ok(Partitions { missing: 0, elsewhere: 0, .. })) => EVERY,
            Some(Ok(Partitions { missing: 0, .. })) => AGAIN,
            Some(Ok(Partitions { missing, .. })) => {
                warn!(missing, "partitions were not made ahead, as their tables are in use (a backup?)");
                AGAIN
            }
            Some(Err(error)) => {
                warn!(%error, "partitions were not made ahead; rows go to the default partition");
                AGAIN
            }
        };
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

/// Makes the partitions of today and of `ahead` days that are missing. Waits for no lock longer than 100 ms at a time.
///
/// # Errors
/// Those of the database but for locks that can't be had.
pub async fn make_partitions(pool: &PgPool, ahead: i32) -> sqlx::Result<Partitions> {
    let missing: Vec<Missing> = sqlx::query_as(MISSING).bind(ahead).fetch_all(pool).await?;
    let mut looked = Partitions::default();
    for partition in missing {
        match make(pool, &partition).await? {
            Tried::Made => {
                info!(partition = partition.name, "a partition was made");
                looked.made += 1;
            }
            Tried::Busy => looked.missing += 1,
            Tried::Elsewhere => looked.elsewhere += 1,
            Tried::InDefault => {
                warn!(
                    partition = partition.name,
                    "a partition was not made: rows of its day are in the default partition"
                );
            }
        }
    }
    Ok(looked)
}

async fn make(pool: &PgPool, partition: &Missing) -> sqlx::Result<Tried> {
    for number in 1.. {
        match try_to_make(pool, partition).await? {
            Tried::Busy if number < TRIES => tokio::time::sleep(BETWEEN_TRIES).await,
            tried => return Ok(tried),
        }
    }
    Ok(Tried::Busy)
}

async fn try_to_make(pool: &PgPool, partition: &Missing) -> sqlx::Result<Tried> {
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
