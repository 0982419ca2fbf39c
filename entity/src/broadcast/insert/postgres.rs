//! Broadcasts on Postgres.

use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::BroadcastRow;
use crate::stamp::Stamp;

pub(super) async fn insert_new(
    tx: &mut PgConnection,
    rows: &[BroadcastRow],
    stamp: Stamp,
) -> Result<Vec<Uuid>> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    const SQL: &str = "INSERT INTO broadcast (id, event_id, channel, notice_id, total, queued, created_at, claim, lease_until)
        SELECT id, event_id, channel, notice_id, total, 0, now_ms() + $1,
               leased::integer, CASE WHEN leased THEN now_ms() + $1 + $8 ELSE 0 END
        FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::bool[])
             AS row (id, event_id, channel, notice_id, total, leased)
        ON CONFLICT (notice_id, channel) WHERE notice_id IS NOT NULL DO NOTHING
        RETURNING id";
    let column = rows.iter();
    sqlx::query_scalar(SQL)
        .bind(stamp.now_or_offset)
        .bind(column.clone().map(|row| row.id.0).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.event_id.0).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.channel.as_str()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.notice_id.map(|id| id.0)).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.total).collect::<Vec<_>>())
        .bind(column.map(|row| row.leased).collect::<Vec<_>>())
        .bind(stamp.lease)
        .fetch_all(tx)
        .await
}
