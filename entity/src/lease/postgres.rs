//! Leases on Postgres.

use sqlx::{AssertSqlSafe, PgPool, Result};
use uuid::Uuid;

use super::{Lease, Table};

const RENEW: &str = "UPDATE delivery AS mine
    SET lease_until = (SELECT now_ms() + $3 + $4 FROM set_config('synchronous_commit', 'off', true))
    FROM unnest($1::uuid[], $2::integer[]) AS row (id, claim)
    WHERE mine.id = ANY(ARRAY(SELECT id FROM delivery WHERE id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED))
        AND mine.id = row.id AND mine.claim = row.claim AND mine.recorded_claim < row.claim
    RETURNING mine.id";

pub(super) async fn release(pool: &PgPool, table: Table, leases: &[Lease]) -> Result<()> {
    let (name, released) = (table.name(), table.released());
    let sql = format!(
        "UPDATE {name} AS mine SET {released} FROM unnest($1::uuid[], $2::integer[]) AS row (id, claim)
        WHERE mine.id = ANY($1) AND mine.id = row.id AND mine.claim = row.claim"
    );
    let (ids, claims): (Vec<Uuid>, Vec<i32>) = leases.iter().copied().unzip();
    sqlx::query(AssertSqlSafe(sql)).bind(ids).bind(claims).execute(pool).await.map(drop)
}

pub(super) async fn renew(pool: &PgPool, leases: &[Lease], offset: i64, lease: i64) -> Result<Vec<Uuid>> {
    let (ids, claims): (Vec<Uuid>, Vec<i32>) = leases.iter().copied().unzip();
    sqlx::query_scalar(RENEW).bind(ids).bind(claims).bind(offset).bind(lease).fetch_all(pool).await
}
