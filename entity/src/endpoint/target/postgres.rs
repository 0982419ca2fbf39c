//! Endpoints with their lanes on Postgres.

use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::{TargetRow, columns};

const LOAD: &str = concat!(
    columns!(),
    " FROM unnest($1::uuid[]) AS asked (id)
    CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE id = asked.id LIMIT 1) AS e
    CROSS JOIN LATERAL (SELECT * FROM lane WHERE id = asked.id LIMIT 1) AS l"
);

pub(super) async fn load(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<TargetRow>> {
    sqlx::query_as(LOAD).bind(ids).fetch_all(pool).await
}
