//! Messages on Postgres.

use std::sync::Arc;

use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::MessageRow;

pub(super) async fn insert_new(
    tx: &mut PgConnection,
    rows: &[Arc<MessageRow>],
    offset: i64,
) -> Result<Vec<Uuid>> {
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
