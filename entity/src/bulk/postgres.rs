//! Bulk inserts on Postgres: one statement a table, columns bound as arrays, times by the server's clock.

use sqlx::{PgConnection, Postgres, Result, postgres::PgArguments, query::QueryScalar};

use super::{DeliveryRow, EventRow, Stamp, UploadRow};

/// A statement that inserts events with their deliveries, and returns its time in ms.
pub type Published<'q> = QueryScalar<'q, Postgres, i64, PgArguments>;

/// Inserts events.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_events(tx: &mut PgConnection, rows: &[EventRow], stamp: Stamp) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    const SQL: &str = "INSERT INTO event (id, user_id, event_type, body, addressed, created_at)
        SELECT id, user_id, event_type, body, addressed, now_ms() + $1
        FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::bytea[], $6::bool[])
             AS row (id, user_id, event_type, body, addressed)";
    sqlx::query(SQL)
        .bind(stamp.now_or_offset)
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.user_id.map(|user| user.0)))
        .bind(column(rows, |row| row.event_type.as_str()))
        .bind(column(rows, |row| row.body.as_slice()))
        .bind(column(rows, |row| row.addressed))
        .execute(tx)
        .await
        .map(drop)
}

/// Inserts deliveries. What is due in the past, or names no time, is due at once by the server's clock.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_deliveries(tx: &mut PgConnection, rows: &[DeliveryRow], stamp: Stamp) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    const SQL: &str = "INSERT INTO delivery
            (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, claim, lease_until, created_at)
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body,
               greatest(now_ms() + $1, due_at), leased::integer, CASE WHEN leased THEN now_ms() + $1 + $2 ELSE 0 END, now_ms() + $1
        FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::uuid[], $7::text[], $8::uuid[], $9::bytea[],
                    $10::bigint[], $11::bool[])
             AS row (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, leased)";
    sqlx::query(SQL)
        .bind(stamp.now_or_offset)
        .bind(stamp.lease)
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.event_id.0))
        .bind(column(rows, |row| row.user_id.map(|user| user.0)))
        .bind(column(rows, |row| row.lane_id.0))
        .bind(column(rows, |row| row.channel.as_str()))
        .bind(column(rows, |row| row.recipient_id))
        .bind(column(rows, |row| row.body.as_deref()))
        .bind(column(rows, |row| row.due_at.map(|due| due.0)))
        .bind(column(rows, |row| row.leased))
        .execute(tx)
        .await
        .map(drop)
}

/// The inserts of events and of their deliveries, as two expressions of a `WITH` clause whose values [`bind_published`] binds
/// as `$1` to `$16`. The literal ends each of their selects: a condition, or nothing.
#[macro_export]
macro_rules! insert_published {
    ($condition:literal) => {
        concat!(
            "stored AS (
                INSERT INTO event (id, user_id, event_type, body, addressed, created_at)
                SELECT id, user_id, event_type, body, addressed, (SELECT now_ms() + $1)
                FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::bytea[], $7::bool[])
                     AS row (id, user_id, event_type, body, addressed) ",
            $condition,
            "), made AS (
                INSERT INTO delivery
                    (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, claim, lease_until, created_at)
                SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, greatest((SELECT now_ms() + $1), due_at),
                    leased::integer, CASE WHEN leased THEN (SELECT now_ms() + $1 + $2) ELSE 0 END, (SELECT now_ms() + $1)
                FROM unnest($8::uuid[], $9::uuid[], $10::bigint[], $11::uuid[], $12::text[], $13::uuid[], $14::bytea[],
                            $15::bigint[], $16::bool[])
                     AS row (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, leased) ",
            $condition,
            ")"
        )
    };
}

/// Inserts events with their deliveries in one statement, as [`insert_events`] and [`insert_deliveries`] do in two, and
/// returns the time of the statement in ms.
///
/// # Errors
/// Those of the database; nothing was written.
pub async fn insert_published(
    connection: &mut PgConnection,
    events: &[EventRow],
    deliveries: &[DeliveryRow],
    stamp: Stamp,
) -> Result<i64> {
    const SQL: &str = concat!("WITH ", insert_published!(""), " SELECT now_ms() + $1");
    bind_published(sqlx::query_scalar(SQL), events, deliveries, stamp).fetch_one(connection).await
}

/// Binds the values of [`insert_published!`](crate::insert_published!), `$1` to `$16`.
pub fn bind_published<'q>(
    query: Published<'q>,
    events: &'q [EventRow],
    deliveries: &'q [DeliveryRow],
    stamp: Stamp,
) -> Published<'q> {
    query
        .bind(stamp.now_or_offset)
        .bind(stamp.lease)
        .bind(column(events, |row| row.id.0))
        .bind(column(events, |row| row.user_id.map(|user| user.0)))
        .bind(column(events, |row| row.event_type.as_str()))
        .bind(column(events, |row| row.body.as_slice()))
        .bind(column(events, |row| row.addressed))
        .bind(column(deliveries, |row| row.id.0))
        .bind(column(deliveries, |row| row.event_id.0))
        .bind(column(deliveries, |row| row.user_id.map(|user| user.0)))
        .bind(column(deliveries, |row| row.lane_id.0))
        .bind(column(deliveries, |row| row.channel.as_str()))
        .bind(column(deliveries, |row| row.recipient_id))
        .bind(column(deliveries, |row| row.body.as_deref()))
        .bind(column(deliveries, |row| row.due_at.map(|due| due.0)))
        .bind(column(deliveries, |row| row.leased))
}

/// Inserts uploads, due at once.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_uploads(tx: &mut PgConnection, rows: &[UploadRow], stamp: Stamp) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    const SQL: &str = "INSERT INTO upload
            (id, endpoint_id, user_id, file_name, storage_key, size_bytes, due_at, claim, lease_until, created_at)
        SELECT id, endpoint_id, user_id, file_name, storage_key, size_bytes,
               now_ms() + $1, leased::integer, CASE WHEN leased THEN now_ms() + $1 + $2 ELSE 0 END, now_ms() + $1
        FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::bool[])
             AS row (id, endpoint_id, user_id, file_name, storage_key, size_bytes, leased)";
    sqlx::query(SQL)
        .bind(stamp.now_or_offset)
        .bind(stamp.lease)
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.endpoint_id.0))
        .bind(column(rows, |row| row.user_id.0))
        .bind(column(rows, |row| row.file_name.as_str()))
        .bind(column(rows, |row| row.storage_key.as_str()))
        .bind(column(rows, |row| row.size_bytes))
        .bind(column(rows, |row| row.leased))
        .execute(tx)
        .await
        .map(drop)
}

/// One column of many rows, as an array to bind.
fn column<'r, Row, Value>(rows: &'r [Row], value: impl Fn(&'r Row) -> Value) -> Vec<Value> {
    rows.iter().map(value).collect()
}
