//! Push subscriptions on Postgres. `offset` is added to the server's clock.

use domain::delivery::Channel;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::{LANE, REMOVE};
use crate::push_subscription;

pub(super) async fn subscribe(
    tx: &mut PgConnection,
    row: &push_subscription::Model,
    (lane, in_flight): (Uuid, Option<i32>),
    offset: i64,
) -> Result<()> {
    const SQL: &str = "INSERT INTO push_subscription AS known
            (id, endpoint, lane_id, p256dh, auth, user_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, now_ms() + $7, now_ms() + $7)
        ON CONFLICT (endpoint) DO UPDATE
        SET p256dh = excluded.p256dh, auth = excluded.auth, user_id = coalesce(excluded.user_id, known.user_id),
            updated_at = excluded.updated_at";
    sqlx::query(SQL)
        .bind(row.id)
        .bind(&row.endpoint)
        .bind(row.lane_id)
        .bind(&row.p256dh)
        .bind(&row.auth)
        .bind(row.user_id)
        .bind(offset)
        .execute(&mut *tx)
        .await?;
    sqlx::query(LANE).bind(lane).bind(Channel::WebPush.as_str()).bind(in_flight).execute(tx).await.map(drop)
}

pub(super) async fn unsubscribe(tx: &mut PgConnection, id: Uuid, p256dh: &[u8], auth: &[u8]) -> Result<bool> {
    let removed = sqlx::query(REMOVE).bind(id).bind(p256dh).bind(auth).execute(tx).await?;
    Ok(removed.rows_affected() > 0)
}
