//! Events on Postgres: columns bound as arrays, times by the server's clock.

use sqlx::{PgConnection, Result};

use super::EventRow;
use crate::{rows::postgres::column, stamp::Stamp};

pub(super) async fn insert_events(tx: &mut PgConnection, rows: &[EventRow], stamp: Stamp) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    const SQL: &str = "INSERT INTO event (id, user_id, event_type, body, addressed, created_at)
        SELECT id, user_id, event_type, body, addressed, now_ms() + $1
        FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::bytea[], $6::bool[])
             AS row (id, user_id, event_type, body, addressed)";
    sqlx::query(SQL)
        .bind(stamp.now_or_offset)
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.user_id.map(|user| user.0)))
        .bind(column(rows, |row| row.event_type.as_str()))
        .bind(column(rows, |row| row.body.as_slice()))
        .bind(column(rows, |row| row.addressed))
        .execute(tx)
        .await
        .map(drop)
}
