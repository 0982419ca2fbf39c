//! Recipients on Postgres, by the server's clock.

use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::{Found, Key, Named, Registered};

macro_rules! clear {
    ($offset:literal) => {
        concat!(
            "l.state = 'active' AND l.breaker_until = 0 AND l.rate_limit IS NULL AND l.max_in_flight IS NULL
             AND greatest(l.backlog_until, l.blocked_until) <= now_ms() + ",
            $offset,
            " AS clear"
        )
    };
}

const REGISTERED: &str = concat!(
    "SELECT asked.user_id AS asked_user, asked.name, e.id, e.user_id, e.custom_payload, ",
    clear!("$3"),
    " FROM unnest($1::bigint[], $2::text[]) AS asked (user_id, name)
    CROSS JOIN LATERAL (SELECT id FROM event_type WHERE name = asked.name LIMIT 1) AS t
    CROSS JOIN LATERAL (
        SELECT endpoint_id FROM endpoint_event_type WHERE event_type_id = t.id AND user_id = asked.user_id
        UNION ALL
        SELECT endpoint_id FROM endpoint_event_type WHERE event_type_id = t.id AND asked.user_id IS NULL
    ) AS x
    CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE id = x.endpoint_id LIMIT 1) AS e
    CROSS JOIN LATERAL (SELECT * FROM lane WHERE id = e.id AND state <> 'deleted' LIMIT 1) AS l"
);

const NAMED: &str = concat!(
    "SELECT e.id, e.user_id, e.custom_payload, ",
    clear!("$3"),
    " FROM unnest($1::bigint[], $2::uuid[]) AS asked (user_id, id)
    CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE id = asked.id AND user_id = asked.user_id LIMIT 1) AS e
    CROSS JOIN LATERAL (SELECT * FROM lane WHERE id = e.id AND state <> 'deleted' LIMIT 1) AS l"
);

pub(super) async fn registered(pool: &PgPool, keys: &[Key], offset: i64) -> Result<Vec<Registered>> {
    let (users, names): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
    sqlx::query_as(REGISTERED).bind(users).bind(names).bind(offset).fetch_all(pool).await
}

pub(super) async fn named(pool: &PgPool, endpoints: &[Named], offset: i64) -> Result<Vec<Found>> {
    let (users, ids): (Vec<i64>, Vec<Uuid>) = endpoints.iter().copied().unzip();
    sqlx::query_as(NAMED).bind(users).bind(ids).bind(offset).fetch_all(pool).await
}

pub(super) async fn known(pool: &PgPool, names: &[String]) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT name FROM event_type WHERE name = ANY($1)").bind(names).fetch_all(pool).await
}
