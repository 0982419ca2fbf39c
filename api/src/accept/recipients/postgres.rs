//! Recipients on Postgres, by the server's clock.

use entity::{
    bulk::{DeliveryRow, EventRow, Stamp, postgres::bind_published},
    insert_published,
};
use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

use super::{Found, Key, Named, Registered, remembered::Confirmation};

macro_rules! clear {
    (value $offset:literal) => {
        concat!(
            "(l.state = 'active' AND l.breaker_until = 0 AND l.rate_limit IS NULL AND l.max_in_flight IS NULL AND l.drain_before = 0
             AND greatest(l.backlog_until, l.blocked_until) <= now_ms() + ",
            $offset,
            ")"
        )
    };
    ($offset:literal) => {
        concat!(clear!(value $offset), " AS clear")
    };
}

// The mark of a row changes with all that an accept needs of it.
macro_rules! registered {
    ($users:literal, $names:literal, $offset:literal) => {
        concat!(
            "SELECT asked.user_id AS asked_user, asked.name, e.id, e.user_id, e.custom_payload, ",
            clear!($offset),
            ", hashtextextended(concat_ws(' ', coalesce(asked.user_id, -1), e.id, e.user_id, ",
            clear!(value $offset),
            ", asked.name, e.custom_payload), 0) AS mark
            FROM unnest(",
            $users,
            "::bigint[], ",
            $names,
            "::text[]) AS asked (user_id, name)
            CROSS JOIN LATERAL (SELECT id FROM event_type WHERE name = asked.name LIMIT 1) AS t
            CROSS JOIN LATERAL (
                SELECT endpoint_id FROM endpoint_event_type WHERE event_type_id = t.id AND user_id = asked.user_id
                UNION ALL
                SELECT endpoint_id FROM endpoint_event_type WHERE event_type_id = t.id AND asked.user_id IS NULL
            ) AS x
            CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE id = x.endpoint_id LIMIT 1) AS e
            CROSS JOIN LATERAL (SELECT * FROM lane WHERE id = e.id AND state <> 'deleted' LIMIT 1) AS l"
        )
    };
}

const REGISTERED: &str = registered!("$1", "$2", "$3");

const INSERT_IF_UNCHANGED: &str = concat!(
    "WITH current AS MATERIALIZED (",
    registered!("$17", "$18", "$1"),
    "), unchanged AS MATERIALIZED (
        SELECT 1 FROM current HAVING count(*) = $19 AND coalesce(bit_xor(mark), 0) = $20
    ), ",
    insert_published!("WHERE EXISTS (SELECT 1 FROM unchanged)"),
    " SELECT now_ms() + $1 FROM unchanged"
);

const NAMED: &str = concat!(
    "SELECT e.id, e.user_id, e.custom_payload, 0::bigint AS mark, ",
    clear!("$3"),
    " FROM unnest($1::bigint[], $2::uuid[]) AS asked (user_id, id)
    CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE id = asked.id AND user_id = asked.user_id LIMIT 1) AS e
    CROSS JOIN LATERAL (SELECT * FROM lane WHERE id = e.id AND state <> 'deleted' LIMIT 1) AS l"
);

pub(super) async fn registered(pool: &PgPool, keys: &[Key], offset: i64) -> Result<Vec<Registered>> {
    let (users, names): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
    sqlx::query_as(REGISTERED).bind(users).bind(names).bind(offset).fetch_all(pool).await
}

/// Inserts events and deliveries, unless their recipients have changed; returns when, or none when they have.
pub(in crate::accept) async fn insert_if_unchanged(
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

pub(super) async fn named(pool: &PgPool, endpoints: &[Named], offset: i64) -> Result<Vec<Found>> {
    let (users, ids): (Vec<i64>, Vec<Uuid>) = endpoints.iter().copied().unzip();
    sqlx::query_as(NAMED).bind(users).bind(ids).bind(offset).fetch_all(pool).await
}

pub(super) async fn known(pool: &PgPool, names: &[String]) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT name FROM event_type WHERE name = ANY($1)").bind(names).fetch_all(pool).await
}
