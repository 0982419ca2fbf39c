//! Postgres: few connections, each with large statements.

use std::{str::FromStr, time::Duration};

use sea_orm::SqlxPostgresConnector;
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{DatabaseError, Pool, pool::Pools};

/// Connections of one process for plain statements. Work is grouped before it gets here, so a few are enough.
const PLAIN_CONNECTIONS: u32 = 11;
/// Connections for the engine: an accept, a claim and a record at once, plus commits that wait for the disk.
const GROUPED_CONNECTIONS: u32 = 5;
/// Longest wait for a connection: beyond it the database counts as unavailable.
const ACQUIRE_DEADLINE: Duration = Duration::from_secs(5);
/// Connections used within this interval skip the liveness ping: on a busy process pings would be a third of all round
/// trips.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
/// Longest single statement; ours take far less.
const STATEMENT_TIMEOUT: &str = "30s";
/// Longest wait of a migration for a lock, and so the longest delay of statements queued behind it.
const MIGRATION_LOCK_TIMEOUT: &str = "1s";

/// Plans are made once per statement and connection, for any parameters: planning a claim of a few rows takes longer than
/// running it. The plan is kept while tables grow from empty, so it must not scan a whole table or index. Such statements name
/// their rows with `= ANY` or look each up with `LATERAL`, and join them by hash only: a nested loop, good for the few rows
/// that are expected, takes long for hundreds. Disabled plan nodes inflate the estimated cost, which would trigger JIT.
const PLANNED_ONCE: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_nestloop", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

pub(super) async fn connect(url: &str) -> Result<Pools, DatabaseError> {
    let options = PgConnectOptions::from_str(url)?.application_name("hookyard").options([
        ("statement_timeout", STATEMENT_TIMEOUT),
        // Rows are found by index, however many are requested: with the default of 4, meant for spinning disks, a claim of
        // hundreds may scan every held row.
        ("random_page_cost", "1.1"),
        // "already exists, skipping" is noise.
        ("client_min_messages", "warning"),
        ("idle_in_transaction_session_timeout", STATEMENT_TIMEOUT),
        // Set explicitly: a server configured otherwise would break the promise that a 2xx means stored.
        ("synchronous_commit", "on"),
    ]);
    let grouped = pool(GROUPED_CONNECTIONS).connect_lazy_with(options.clone().options(PLANNED_ONCE));
    let pool = pool(PLAIN_CONNECTIONS).connect_with(options).await?;
    let orm = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let (bulk, grouped) = (Pool::Postgres(pool), Pool::Postgres(grouped));
    Ok(Pools { bulk, grouped, reader: orm.clone(), writer: orm })
}

/// One connection holds the migration lock, the other one migrates.
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
                if kept.idle_for > PING_AFTER_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}
