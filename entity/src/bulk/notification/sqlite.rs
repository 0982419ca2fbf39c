//! Notices, placements, subscribers and push subscriptions on SQLite. A statement takes at most a thousand rows of seven
//! columns, far below its 32,766 bound values.

use domain::{
    delivery::Channel,
    notification::{UNPROVEN_PUSH_IN_FLIGHT, UNPROVEN_PUSH_LANE},
};
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use crate::{notice, placement, push_subscription, subscriber};

/// Inserts notices.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_notices(tx: &mut SqliteConnection, rows: &[notice::Model]) -> Result<()> {
    const HEAD: &str = "INSERT INTO notice (id, title, message, kind, url, created_at) ";
    let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
    insert.push_values(rows, |mut values, row| {
        values
            .push_bind(row.id)
            .push_bind(row.title.as_str())
            .push_bind(row.message.as_str())
            .push_bind(row.kind.as_str())
            .push_bind(row.url.as_deref())
            .push_bind(row.created_at);
    });
    insert.build().execute(tx).await.map(drop)
}

/// Inserts placements.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_placements(tx: &mut SqliteConnection, rows: &[placement::Model]) -> Result<()> {
    const HEAD: &str = "INSERT INTO placement (id, student, company, role, package, placed_on, created_at) ";
    let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
    insert.push_values(rows, |mut values, row| {
        values
            .push_bind(row.id)
            .push_bind(row.student.as_str())
            .push_bind(row.company.as_str())
            .push_bind(row.role.as_deref())
            .push_bind(row.package)
            .push_bind(row.placed_on.as_deref())
            .push_bind(row.created_at);
    });
    insert.build().execute(tx).await.map(drop)
}

/// Inserts subscribers; one whose chat is known changes the row that is there, and takes from it what it leaves out.
/// Returns the rows as they stand then, in no order. `rows` name no chat twice; their times are `now`.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn upsert_subscribers(
    tx: &mut SqliteConnection,
    rows: &[subscriber::Model],
    now: i64,
) -> Result<Vec<subscriber::Model>> {
    const HEAD: &str = "INSERT INTO subscriber (id, user_id, chat_id, name, active, created_at, updated_at) ";
    const TAIL: &str = " ON CONFLICT (chat_id) DO UPDATE
        SET user_id = coalesce(excluded.user_id, subscriber.user_id), name = coalesce(excluded.name, subscriber.name),
            active = excluded.active, updated_at = excluded.updated_at
        RETURNING id, user_id, chat_id, name, active, created_at, updated_at";
    let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
    insert.push_values(rows, |mut values, row| {
        values
            .push_bind(row.id)
            .push_bind(row.user_id)
            .push_bind(row.chat_id.as_deref())
            .push_bind(row.name.as_deref())
            .push_bind(row.active)
            .push_bind(now)
            .push_bind(now);
    });
    insert.push(TAIL).build_query_as().fetch_all(tx).await
}

/// Stores a push subscription and makes the lane that it begins on: its own at a known push service, else that of unproven
/// ones: after the subscription, as records do. One whose endpoint is known keeps its id, its age,
/// and its user if the new one names none. Its times are `now`.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn subscribe(
    tx: &mut SqliteConnection,
    row: &push_subscription::Model,
    is_known_service: bool,
    now: i64,
) -> Result<()> {
    const LANE: &str =
        "INSERT INTO lane (id, channel, max_in_flight) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
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
pub async fn unsubscribe(tx: &mut SqliteConnection, id: Uuid, p256dh: &[u8], auth: &[u8]) -> Result<bool> {
    const SQL: &str = "DELETE FROM push_subscription WHERE id = $1 AND p256dh = $2 AND auth = $3";
    let removed = sqlx::query(SQL).bind(id).bind(p256dh).bind(auth).execute(tx).await?;
    Ok(removed.rows_affected() > 0)
}
