//! The claim and the lock of a broadcast on Postgres.

use domain::job::Leased;
use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

use crate::{broadcast::Model, stamp::Stamp};

const CLAIM: &str = "UPDATE broadcast SET claim = claim + 1, lease_until = now_ms() + $2 + $3 WHERE id = ANY(ARRAY(
        SELECT id FROM broadcast WHERE state = 'running' AND channel = ANY($1) AND lease_until <= now_ms() + $2
        ORDER BY lease_until, id LIMIT 1 FOR UPDATE SKIP LOCKED))
    RETURNING id, claim";
const LEASED: &str = "SELECT * FROM broadcast
    WHERE id = $1 AND claim = $2 AND state = 'running' AND channel = ANY($3) FOR UPDATE SKIP LOCKED";

pub(super) async fn claim(pool: &PgPool, channels: &[&str], stamp: Stamp) -> Result<Option<Leased>> {
    let query = sqlx::query_as(CLAIM).bind(channels).bind(stamp.now_or_offset);
    let claimed: Option<(Uuid, i32)> = query.bind(stamp.lease).fetch_optional(pool).await?;
    Ok(claimed.map(|(id, claim)| Leased { id, claim }))
}

pub(super) async fn lock(tx: &mut PgConnection, leased: Leased, channels: &[&str]) -> Result<Option<Model>> {
    sqlx::query_as(LEASED).bind(leased.id).bind(leased.claim).bind(channels).fetch_optional(tx).await
}
