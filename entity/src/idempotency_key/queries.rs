//! Takes idempotency keys and reads those that were taken, within the caller's transaction; forgets old ones.

use platform::database::{Database, DatabaseError, Pool, Tx};
use uuid::Uuid;

pub use super::keys::{KeptKey, KeyRow};

use super::{postgres, sqlite};

/// Takes keys that are free, or were taken longer than `kept` ms ago, and returns the events that got theirs. On Postgres
/// it waits for rivals that took the same key and have not committed; `rows` are distinct and sorted by user and key, so
/// that two batches never wait for each other. `time` is what `platform::database::Database::statement_time` gives.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn take(tx: &mut Tx, rows: &[KeyRow], time: i64, kept: i64) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(match tx {
        Tx::Postgres(tx) => postgres::take(tx, rows, time, kept).await?,
        Tx::Sqlite(tx) => sqlite::take(tx, rows, time, kept).await?,
    })
}

/// Returns what stands under these keys.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn read(
    tx: &mut Tx,
    keys: &[(i64, String)],
    time: i64,
    kept: i64,
) -> Result<Vec<KeptKey>, DatabaseError> {
    Ok(match tx {
        Tx::Postgres(tx) => postgres::read(tx, keys, time, kept).await?,
        Tx::Sqlite(tx) => sqlite::read(tx, keys, time, kept).await?,
    })
}

/// Forgets at most `most` keys that were taken longer than `kept` ms ago, and returns how many. `time` is what
/// `platform::database::Database::statement_time` gives.
///
/// # Errors
/// Those of the database.
pub async fn forget(database: &Database, time: i64, kept: i64, most: i64) -> Result<u64, DatabaseError> {
    Ok(match database.pool() {
        Pool::Postgres(pool) => postgres::forget(&mut *pool.acquire().await?, time, kept, most).await?,
        Pool::Sqlite(pool) => sqlite::forget(&mut *pool.acquire().await?, time, kept, most).await?,
    })
}
