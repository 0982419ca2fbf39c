//! Dead rows of the deliveries under way, on Postgres.

use platform::database::{Database, DatabaseError, Pool, within_deadline};

/// Dead rows as the server has counted them, which may be a second old.
const IS_DUE: &str = "SELECT EXISTS (SELECT 1 FROM pg_stat_user_tables
    WHERE relid = 'delivery'::regclass AND n_dead_tup >= $1 AND pg_relation_size(relid) <= $2 * 8192)";
// A vacuum that runs already is not waited for, and no statement waits for this one, as it gives no pages back.
const VACUUM: &str = "VACUUM (SKIP_LOCKED, TRUNCATE off) delivery";

/// Vacuums when at least so many rows are dead and the table has no more pages (of 8 KiB) than that; returns whether it did.
/// Does nothing on SQLite.
///
/// # Errors
/// Those of the database.
pub async fn vacuum_when_due(
    database: &Database,
    least_dead: i64,
    most_pages: i64,
) -> Result<bool, DatabaseError> {
    let Pool::Postgres(pool) = database.pool() else { return Ok(false) };
    let is_due = sqlx::query_scalar(IS_DUE).bind(least_dead).bind(most_pages).fetch_one(pool);
    let is_due: bool = within_deadline(is_due).await?;
    if is_due {
        sqlx::query(VACUUM).execute(pool).await?;
    }
    Ok(is_due)
}
