//! Notices on Postgres.

use sqlx::{PgConnection, Result};

use crate::{notice, rows::postgres::column};

pub(super) async fn insert(tx: &mut PgConnection, rows: &[notice::Model]) -> Result<()> {
    const SQL: &str = "INSERT INTO notice (id, title, message, kind, url, created_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])";
    sqlx::query(SQL)
        .bind(column(rows, |row| row.id))
        .bind(column(rows, |row| row.title.as_str()))
        .bind(column(rows, |row| row.message.as_str()))
        .bind(column(rows, |row| row.kind.as_str()))
        .bind(column(rows, |row| row.url.as_deref()))
        .bind(column(rows, |row| row.created_at))
        .execute(tx)
        .await
        .map(drop)
}
