//! Placements on Postgres.

use sqlx::{PgConnection, Result};

use crate::{placement, rows::postgres::column};

pub(super) async fn insert(tx: &mut PgConnection, rows: &[placement::Model]) -> Result<()> {
    const SQL: &str = "INSERT INTO placement (id, student, company, role, package, placed_on, created_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::double precision[], $6::text[],
                             $7::bigint[])";
    sqlx::query(SQL)
        .bind(column(rows, |row| row.id))
        .bind(column(rows, |row| row.student.as_str()))
        .bind(column(rows, |row| row.company.as_str()))
        .bind(column(rows, |row| row.role.as_deref()))
        .bind(column(rows, |row| row.package))
        .bind(column(rows, |row| row.placed_on.as_deref()))
        .bind(column(rows, |row| row.created_at))
        .execute(tx)
        .await
        .map(drop)
}
