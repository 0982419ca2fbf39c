//! Events with their deliveries on Postgres: one statement for both tables, times by the server's clock.

use sqlx::{PgConnection, Postgres, Result, postgres::PgArguments, query::QueryScalar};

use super::Confirmation;
use crate::{
    delivery::insert::DeliveryRow, endpoint::recipients::postgres::registered_sql, event::insert::EventRow,
    rows::postgres::column, stamp::Stamp,
};

/// A statement that inserts events with their deliveries, and returns its time in ms.
type Published<'q> = QueryScalar<'q, Postgres, i64, PgArguments>;

/// The inserts of events and of their deliveries, as two expressions of a `WITH` clause whose values [`bind_published`] binds
/// as `$1` to `$16`. The literal ends each of their selects: a condition, or nothing.
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

const INSERT_IF_UNCHANGED: &str = concat!(
    "WITH current AS MATERIALIZED (",
    registered_sql!("$17", "$18", "$1"),
    "), unchanged AS MATERIALIZED (
        SELECT 1 FROM current HAVING count(*) = $19 AND coalesce(bit_xor(mark), 0) = $20
    ), ",
    insert_published!("WHERE EXISTS (SELECT 1 FROM unchanged)"),
    " SELECT now_ms() + $1 FROM unchanged"
);

/// Inserts events with their deliveries in one statement, and returns the time of the statement in ms.
pub(super) async fn insert(
    connection: &mut PgConnection,
    events: &[EventRow],
    deliveries: &[DeliveryRow],
    stamp: Stamp,
) -> Result<i64> {
    const SQL: &str = concat!("WITH ", insert_published!(""), " SELECT now_ms() + $1");
    bind_published(sqlx::query_scalar(SQL), events, deliveries, stamp).fetch_one(connection).await
}

/// Inserts events and deliveries unless their recipients have changed; returns the time of the statement in ms, or none when
/// they have.
pub(super) async fn insert_if_unchanged(
    connection: &mut PgConnection,
    events: &[EventRow],
    deliveries: &[DeliveryRow],
    stamp: Stamp,
    confirmation: &Confirmation,
) -> Result<Option<i64>> {
    bind_published(sqlx::query_scalar(INSERT_IF_UNCHANGED), events, deliveries, stamp)
        .bind(&confirmation.users)
        .bind(&confirmation.names)
        .bind(confirmation.count)
        .bind(confirmation.marks)
        .fetch_optional(connection)
        .await
}

/// Binds the values of `insert_published!`, `$1` to `$16`.
fn bind_published<'q>(
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
