//! Uploads on Postgres.

use sqlx::{PgConnection, Result};

use super::UploadRow;
use crate::{rows::postgres::column, stamp::Stamp};

pub(super) async fn insert(tx: &mut PgConnection, rows: &[UploadRow], stamp: Stamp) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    const SQL: &str = "INSERT INTO upload
            (id, endpoint_id, user_id, file_name, storage_key, size_bytes, due_at, claim, lease_until, created_at)
        SELECT id, endpoint_id, user_id, file_name, storage_key, size_bytes,
               now_ms() + $1, leased::integer, CASE WHEN leased THEN now_ms() + $1 + $2 ELSE 0 END, now_ms() + $1
        FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::bool[])
             AS row (id, endpoint_id, user_id, file_name, storage_key, size_bytes, leased)";
    sqlx::query(SQL)
        .bind(stamp.now_or_offset)
        .bind(stamp.lease)
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.endpoint_id.0))
        .bind(column(rows, |row| row.user_id.0))
        .bind(column(rows, |row| row.file_name.as_str()))
        .bind(column(rows, |row| row.storage_key.as_str()))
        .bind(column(rows, |row| row.size_bytes))
        .bind(column(rows, |row| row.leased))
        .execute(tx)
        .await
        .map(drop)
}
