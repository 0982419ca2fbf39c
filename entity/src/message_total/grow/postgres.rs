//! Counts of messages on Postgres.

use sqlx::{PgConnection, Result};

use super::Growth;

pub(super) async fn grow(tx: &mut PgConnection, growth: &Growth<'_>) -> Result<()> {
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
