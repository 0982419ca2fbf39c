//! Notices, placements, subscribers and push subscriptions on Postgres. `offset` is added to the server's clock.

use domain::{
    delivery::Channel,
    notification::{UNPROVEN_PUSH_IN_FLIGHT, UNPROVEN_PUSH_LANE},
};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

use crate::{notice, placement, push_subscription, subscriber};

/// Inserts notices.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_notices(tx: &mut PgConnection, rows: &[notice::Model]) -> Result<()> {
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

/// Inserts placements.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_placements(tx: &mut PgConnection, rows: &[placement::Model]) -> Result<()> {
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

/// Inserts subscribers; one whose chat is known changes the row that is there, and takes from it what it leaves out.
/// Returns the rows as they stand then, in no order. `rows` name no chat twice and are sorted by chat, so that two
/// batches never wait for each other; their times are set by the statement.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn upsert_subscribers(
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

/// Stores a push subscription and makes the lane that it begins on: its own at a known push service, else that of unproven
/// ones: after the subscription, as records do. One whose endpoint is known keeps its id, its age,
/// and its user if the new one names none. Its times are set by the statement.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn subscribe(
    tx: &mut PgConnection,
    row: &push_subscription::Model,
    is_known_service: bool,
    offset: i64,
) -> Result<()> {
    const LANE: &str =
        "INSERT INTO lane (id, channel, max_in_flight) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
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
    let (lane, in_flight) = match is_known_service {
        true => (row.lane_id, None),
        false => (UNPROVEN_PUSH_LANE.0, Some(UNPROVEN_PUSH_IN_FLIGHT)),
    };
    sqlx::query(LANE).bind(lane).bind(Channel::WebPush.as_str()).bind(in_flight).execute(tx).await.map(drop)
}

/// Removes a push subscription if it still has these keys; whether it did.
///
/// # Errors
/// Those of the database.
pub async fn unsubscribe(tx: &mut PgConnection, id: Uuid, p256dh: &[u8], auth: &[u8]) -> Result<bool> {
    const SQL: &str = "DELETE FROM push_subscription WHERE id = $1 AND p256dh = $2 AND auth = $3";
    let removed = sqlx::query(SQL).bind(id).bind(p256dh).bind(auth).execute(tx).await?;
    Ok(removed.rows_affected() > 0)
}

/// One column of many rows, as an array to bind.
fn column<'r, Row, Value>(rows: &'r [Row], value: impl Fn(&'r Row) -> Value) -> Vec<Value> {
    rows.iter().map(value).collect()
}
