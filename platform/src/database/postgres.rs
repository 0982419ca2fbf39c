//! Postgres: few connections, each with large statements.

use std::{str::FromStr, time::Duration};

use sea_orm::SqlxPostgresConnector;
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{Database, DatabaseError, Pool, ServerClock};

/// Connections of one process for whatever comes. Work is grouped before it gets here, so a few are enough.
const PLAIN_CONNECTIONS: u32 = 11;
/// And for the statements of the engine: an accept, a claim and a record at once, and what waits for the disk meanwhile.
const GROUPED_CONNECTIONS: u32 = 5;
/// Longest wait for a connection: beyond it the database counts as away.
const ACQUIRE_DEADLINE: Duration = Duration::from_secs(5);
/// How long a connection that was just used is taken to live. One that did nothing for longer is asked first: on a busy
/// process that question would be a third of all ways to the server.
const TRUSTED: Duration = Duration::from_secs(1);
/// Longest single statement; nothing of ours takes nearly as long.
const STATEMENT_TIMEOUT: &str = "30s";
/// Longest wait of a migration for a lock: so long at most it holds up those who come after it.
const MIGRATION_LOCK_TIMEOUT: &str = "1s";

/// Plans are made once for each statement and connection, for whatever it will be given: a claim of a few rows takes less time
/// than its plan. Such a plan is kept while the tables grow from nothing, so it may not be one that reads all of them, be it
/// along an index. A statement that is planned so names its rows by `= ANY` or looks each up by `LATERAL`; what it joins then
/// are these rows, and only by hash: a loop over both sides, good for the few that are expected, takes long for hundreds.
/// What is switched off costs a plan a made-up fortune where nothing else will do: no reason to compile it.
const PLANNED_ONCE: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_nestloop", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

pub(super) async fn connect(url: &str) -> Result<Database, DatabaseError> {
    let options = PgConnectOptions::from_str(url)?.application_name("hookyard").options([
        ("statement_timeout", STATEMENT_TIMEOUT),
        // Rows are found by index, however many are asked for: with the default of 4, made for disks that turn, a claim of
        // hundreds may read all that is held.
        ("random_page_cost", "1.1"),
        // "already exists, skipping" is no news.
        ("client_min_messages", "warning"),
        ("idle_in_transaction_session_timeout", STATEMENT_TIMEOUT),
        // Set by hand so that a server configured otherwise can't take the promise away.
        ("synchronous_commit", "on"),
    ]);
    let grouped = pool(GROUPED_CONNECTIONS).connect_lazy_with(options.clone().options(PLANNED_ONCE));
    let pool = pool(PLAIN_CONNECTIONS).connect_with(options).await?;
    let orm = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let (pool, grouped) = (Pool::Postgres(pool), Pool::Postgres(grouped));
    Ok(Database { pool, grouped, reader: orm.clone(), writer: orm, server_clock: ServerClock::default() })
}

/// One connection holds the lock of migrations, the other one migrates.
pub(super) async fn connect_for_migrations(url: &str) -> Result<PgPool, DatabaseError> {
    let options = PgConnectOptions::from_str(url)?.application_name("hookyard migrate").options([
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("lock_timeout", MIGRATION_LOCK_TIMEOUT),
        ("client_min_messages", "warning"),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(ACQUIRE_DEADLINE)
        .connect_with(options)
        .await?)
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_DEADLINE)
        .test_before_acquire(false)
        .before_acquire(|connection, kept| {
            Box::pin(async move {
                if kept.idle_for > TRUSTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}
