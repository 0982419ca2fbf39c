//! Deliveries on Postgres: columns bound as arrays, times by the server's clock.

use sqlx::{PgConnection, Result};

use super::DeliveryRow;
use crate::{rows::postgres::column, stamp::Stamp};

pub(super) async fn insert_deliveries(
    tx: &mut PgConnection,
    rows: &[DeliveryRow],
    stamp: Stamp,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    const SQL: &str = "INSERT INTO delivery
            (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, claim, lease_until, created_at)
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body,
               greatest(now_ms() + $1, due_at), leased::integer, CASE WHEN leased THEN now_ms() + $1 + $2 ELSE 0 END, now_ms() + $1
        FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::uuid[], $7::text[], $8::uuid[], $9::bytea[],
                    $10::bigint[], $11::bool[])
             AS row (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, leased)";
    sqlx::query(SQL)
        .bind(stamp.now_or_offset)
        .bind(stamp.lease)
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.event_id.0))
        .bind(column(rows, |row| row.user_id.map(|user| user.0)))
        .bind(column(rows, |row| row.lane_id.0))
        .bind(column(rows, |row| row.channel.as_str()))
        .bind(column(rows, |row| row.recipient_id))
        .bind(column(rows, |row| row.body.as_deref()))
        .bind(column(rows, |row| row.due_at.map(|due| due.0)))
        .bind(column(rows, |row| row.leased))
        .execute(tx)
        .await
        .map(drop)
}
