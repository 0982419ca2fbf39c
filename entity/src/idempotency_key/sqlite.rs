//! Idempotency keys on SQLite, by the one connection that writes.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::keys::{KeptKey, KeyRow};

/// Rows a statement, far below SQLite's 32,766 bound values.
const ROWS: usize = 500;

pub(super) async fn take(
    tx: &mut SqliteConnection,
    rows: &[KeyRow],
    now: i64,
    kept: i64,
) -> Result<Vec<Uuid>> {
    const HEAD: &str =
        "INSERT INTO idempotency_key (user_id, key, body_hash, event_id, deliveries, created_at) ";
    const TAIL: &str = " ON CONFLICT (user_id, key) DO UPDATE
        SET body_hash = excluded.body_hash, event_id = excluded.event_id, deliveries = excluded.deliveries,
            created_at = excluded.created_at
        WHERE idempotency_key.created_at <= excluded.created_at - ";
    let mut taken = Vec::with_capacity(rows.len());
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.user_id.0)
                .push_bind(row.key.as_str())
                .push_bind(row.body_hash.as_slice())
                .push_bind(row.event_id.0)
                .push_bind(row.deliveries)
                .push_bind(now);
        });
        insert.push(TAIL).push_bind(kept).push(" RETURNING event_id");
        taken.extend(insert.build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?);
    }
    Ok(taken)
}

pub(super) async fn read(
    tx: &mut SqliteConnection,
    keys: &[(i64, String)],
    now: i64,
    kept: i64,
) -> Result<Vec<KeptKey>> {
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("WITH asked (user_id, key) AS (");
        query.push_values(keys, |mut values, (user, key)| {
            values.push_bind(*user).push_bind(key.as_str());
        });
        query.push(") SELECT k.user_id, k.key, k.body_hash, k.event_id, k.deliveries, k.created_at > ");
        query.push_bind(now - kept);
        query.push(" AS is_live FROM asked JOIN idempotency_key k ON k.user_id = asked.user_id AND k.key = asked.key");
        found.extend(query.build_query_as::<KeptKey>().fetch_all(&mut *tx).await?);
    }
    Ok(found)
}

/// Forgets at most `most` keys that were taken longer than `kept` ms ago, and returns how many.
///
/// # Errors
/// Those of the database.
pub async fn forget(tx: &mut SqliteConnection, now: i64, kept: i64, most: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM idempotency_key WHERE (user_id, key) IN (
        SELECT user_id, key FROM idempotency_key WHERE created_at <= ? ORDER BY created_at LIMIT ?)";
    Ok(sqlx::query(SQL).bind(now - kept).bind(most).execute(tx).await?.rows_affected())
}
