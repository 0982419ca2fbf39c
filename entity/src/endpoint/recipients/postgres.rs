//! Recipients on Postgres, by the server's clock.

use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::{Key, Named, RecipientRow, RegisteredRow};

/// Whether lane `l` is healthy.
macro_rules! clear {
    ($offset:literal) => {
        concat!("(", $crate::lane::rules::healthy_at!(postgres "l"), "now_ms() + ", $offset, ")")
    };
}

// `$users` and `$names` are arrays, `$offset` is added to the server's clock. The mark of a row changes with all that an
// accept needs of it.
macro_rules! registered {
    ($users:literal, $names:literal, $offset:literal) => {
        concat!(
            "SELECT asked.user_id AS asked_user, asked.name, e.id, e.user_id, e.custom_payload, ",
            $crate::endpoint::recipients::postgres::clear!($offset),
            " AS clear, hashtextextended(concat_ws(' ', coalesce(asked.user_id, -1), e.id, e.user_id, ",
            $crate::endpoint::recipients::postgres::clear!($offset),
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

pub(crate) use clear;
pub(crate) use registered as registered_sql;

const REGISTERED: &str = registered!("$1", "$2", "$3");

const NAMED: &str = concat!(
    "SELECT e.id, e.user_id, e.custom_payload, 0::bigint AS mark, ",
    clear!("$3"),
    " AS clear FROM unnest($1::bigint[], $2::uuid[]) AS asked (user_id, id)
    CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE id = asked.id AND user_id = asked.user_id LIMIT 1) AS e
    CROSS JOIN LATERAL (SELECT * FROM lane WHERE id = e.id AND state <> 'deleted' LIMIT 1) AS l"
);

pub(super) async fn registered(pool: &PgPool, keys: &[Key], offset: i64) -> Result<Vec<RegisteredRow>> {
    let (users, names): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
    sqlx::query_as(REGISTERED).bind(users).bind(names).bind(offset).fetch_all(pool).await
}

pub(super) async fn named(pool: &PgPool, endpoints: &[Named], offset: i64) -> Result<Vec<RecipientRow>> {
    let (users, ids): (Vec<i64>, Vec<Uuid>) = endpoints.iter().copied().unzip();
    sqlx::query_as(NAMED).bind(users).bind(ids).bind(offset).fetch_all(pool).await
}

pub(super) async fn known_types(pool: &PgPool, names: &[String]) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT name FROM event_type WHERE name = ANY($1)").bind(names).fetch_all(pool).await
}
