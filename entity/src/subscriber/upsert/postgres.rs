//! Subscribers on Postgres. `offset` is added to the server's clock.

use sqlx::{PgConnection, Result};

use crate::{rows::postgres::column, subscriber};

pub(super) async fn upsert(
    tx: &mut PgConnection,
    rows: &[subscriber::Model],
    offset: i64,
) -> Result<Vec<subscriber::Model>> {
    const SQL: &str =
        "INSERT INTO subscriber AS known (id, user_id, chat_id, name, active, created_at, updated_at)
        SELECT id, user_id, chat_id, name, active, now_ms() + $1, now_ms() + $1
        FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bool[])
             AS row (id, user_id, chat_id, name, active)
        ON CONFLICT (chat_id) DO UPDATE
        SET user_id = coalesce(excluded.user_id, known.user_id), name = coalesce(excluded.name, known.name),
            active = excluded.active, updated_at = excluded.updated_at
        RETURNING id, user_id, chat_id, name, active, created_at, updated_at";
    sqlx::query_as(SQL)
        .bind(offset)
        .bind(column(rows, |row| row.id))
        .bind(column(rows, |row| row.user_id))
        .bind(column(rows, |row| row.chat_id.as_deref()))
        .bind(column(rows, |row| row.name.as_deref()))
        .bind(column(rows, |row| row.active))
        .fetch_all(tx)
        .await
}
