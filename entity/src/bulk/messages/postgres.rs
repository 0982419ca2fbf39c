//! Messages on Postgres.

use std::sync::Arc;

use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::{Growth, MessageRow};

/// Inserts the messages whose id is new, and returns their events. Waits for rivals that insert the same id and have not
/// committed; `rows` are distinct and sorted by id, so that two batches never wait for each other. `offset` is added to
/// the server's clock.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert(tx: &mut PgConnection, rows: &[Arc<MessageRow>], offset: i64) -> Result<Vec<Uuid>> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    const SQL: &str =
        "INSERT INTO message (message_id, sender, recipient, ts, ts_key, text, folded, event_id, created_at)
        SELECT message_id, sender, recipient, ts, ts_key, text, folded, event_id, now_ms() + $1
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[])
             AS row (message_id, sender, recipient, ts, ts_key, text, folded, event_id)
        ON CONFLICT (message_id) DO NOTHING
        RETURNING event_id";
    let column = rows.iter();
    sqlx::query_scalar(SQL)
        .bind(offset)
        .bind(column.clone().map(|row| row.message.message_id.as_str()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.message.from.as_str()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.message.to.as_str()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.message.ts.as_str()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.message.ts.key()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.message.text.as_deref()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.folded.as_deref()).collect::<Vec<_>>())
        .bind(column.map(|row| row.event_id.0).collect::<Vec<_>>())
        .fetch_all(tx)
        .await
}

/// Adds new messages to the counts.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn count(tx: &mut PgConnection, growth: &Growth<'_>) -> Result<()> {
    const BY_SENDER: &str = "INSERT INTO message_sender AS mine (sender, messages)
        SELECT sender, messages FROM unnest($1::text[], $2::bigint[]) AS row (sender, messages)
        ON CONFLICT (sender) DO UPDATE SET messages = mine.messages + excluded.messages
        RETURNING sender, messages";
    const TOTAL: &str =
        "UPDATE message_total SET messages = messages + $1, senders = senders + $2 WHERE shard = $3";
    let now: Vec<(String, i64)> = sqlx::query_as(BY_SENDER)
        .bind(growth.by_sender.keys().copied().collect::<Vec<_>>())
        .bind(growth.by_sender.values().copied().collect::<Vec<_>>())
        .fetch_all(&mut *tx)
        .await?;
    let total = sqlx::query(TOTAL).bind(growth.messages()).bind(growth.new_senders(&now)).bind(growth.shard);
    total.execute(tx).await.map(drop)
}
