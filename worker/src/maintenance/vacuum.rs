//! Dead rows of the deliveries under way, on Postgres. Each delivery leaves one or more of them, and they lie where claims
//! begin to read: at ten thousand a second there are half a million in the minute until the server's autovacuum comes.

use std::time::Duration;

use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(5);
/// Fewer dead rows are left to the server.
const LEAST_DEAD: i64 = 20_000;
/// A table of more pages (of 8 KiB) is left to the server too: it takes long, and has few that are dead for its size.
const MOST_PAGES: i64 = 131_072;

/// Dead rows as the server has counted them, which may be a second old.
const IS_DUE: &str = "SELECT EXISTS (SELECT 1 FROM pg_stat_user_tables
    WHERE relid = 'delivery'::regclass AND n_dead_tup >= $1 AND pg_relation_size(relid) <= $2 * 8192)";
// A vacuum that runs already is not waited for, and no statement waits for this one, as it gives no pages back.
const VACUUM: &str = "VACUUM (SKIP_LOCKED, TRUNCATE off) delivery";

/// Takes dead rows away until `stop`.
pub async fn vacuum(context: Context, stop: CancellationToken) {
    let Pool::Postgres(pool) = context.database.pool() else { return };
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        // A stop does not wait for it: the server goes on by itself.
        let vacuumed = stop.run_until_cancelled(vacuum_when_due(pool, LEAST_DEAD, MOST_PAGES)).await;
        if let Some(Err(error)) = vacuumed {
            debug!(%error, "dead rows are left to the server");
        }
    }
}

/// Vacuums when at least so many rows are dead and the table has no more pages than that; returns whether it did.
///
/// # Errors
/// Those of the database.
pub async fn vacuum_when_due(pool: &PgPool, least_dead: i64, most_pages: i64) -> Result<bool, DatabaseError> {
    let is_due = sqlx::query_scalar(IS_DUE).bind(least_dead).bind(most_pages).fetch_one(pool);
    let is_due: bool = within_deadline(is_due).await?;
    if is_due {
        sqlx::query(VACUUM).execute(pool).await?;
    }
    Ok(is_due)
}
