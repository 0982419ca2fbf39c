//! Push subscriptions on SQLite.

use domain::delivery::Channel;
use sqlx::{Result, SqliteConnection};
use uuid::Uuid;

use super::{LANE, REMOVE};
use crate::push_subscription;

pub(super) async fn subscribe(
    tx: &mut SqliteConnection,
    row: &push_subscription::Model,
    (lane, in_flight): (Uuid, Option<i32>),
    now: i64,
) -> Result<()> {
    const SQL: &str = "INSERT INTO push_subscription
            (id, endpoint, lane_id, p256dh, auth, user_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
        ON CONFLICT (endpoint) DO UPDATE
        SET p256dh = excluded.p256dh, auth = excluded.auth,
            user_id = coalesce(excluded.user_id, push_subscription.user_id), updated_at = excluded.updated_at";
    sqlx::query(SQL)
        .bind(row.id)
        .bind(&row.endpoint)
        .bind(row.lane_id)
        .bind(&row.p256dh)
        .bind(&row.auth)
        .bind(row.user_id)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    sqlx::query(LANE).bind(lane).bind(Channel::WebPush.as_str()).bind(in_flight).execute(tx).await.map(drop)
}

pub(super) async fn unsubscribe(
    tx: &mut SqliteConnection,
    id: Uuid,
    p256dh: &[u8],
    auth: &[u8],
) -> Result<bool> {
    let removed = sqlx::query(REMOVE).bind(id).bind(p256dh).bind(auth).execute(tx).await?;
    Ok(removed.rows_affected() > 0)
}
