//! Recipients on SQLite, by the pool that only reads.

use sqlx::{QueryBuilder, Result, Sqlite, SqlitePool};

use super::{Key, Named, RecipientRow, RegisteredRow};
use crate::lane::rules::healthy_at;

/// Rows a statement, far below SQLite's 32,766 bound values.
const ROWS: usize = 500;

pub(super) async fn registered(pool: &SqlitePool, keys: &[Key], now: i64) -> Result<Vec<RegisteredRow>> {
    let (of_all, of_users): (Vec<&Key>, Vec<&Key>) = keys.iter().partition(|(user, _)| user.is_none());
    let mut found = Vec::new();
    for (keys, of_user) in [(of_users, " AND x.user_id = asked.user_id"), (of_all, "")] {
        for keys in keys.chunks(ROWS) {
            let mut query = registered_for(keys, of_user, now);
            found.extend(query.build_query_as::<RegisteredRow>().fetch_all(pool).await?);
        }
    }
    Ok(found)
}

// CROSS JOIN keeps the order of the tables: statistics must not tempt the planner to begin with all endpoints.
fn registered_for(keys: &[&Key], of_user: &str, now: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new("WITH asked (user_id, name) AS (");
    query.push_values(keys, |mut values, (user, name)| {
        values.push_bind(*user).push_bind(name.as_str());
    });
    query.push(") SELECT asked.user_id AS asked_user, asked.name, ");
    push_columns(&mut query, now);
    query.push(
        " FROM asked CROSS JOIN event_type t ON t.name = asked.name
        CROSS JOIN endpoint_event_type x ON x.event_type_id = t.id",
    );
    query.push(of_user).push(
        " CROSS JOIN endpoint e ON e.id = x.endpoint_id
        CROSS JOIN lane l ON l.id = e.id AND l.state <> 'deleted'",
    );
    query
}

pub(super) async fn named(pool: &SqlitePool, endpoints: &[Named], now: i64) -> Result<Vec<RecipientRow>> {
    let mut found = Vec::with_capacity(endpoints.len());
    for endpoints in endpoints.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("WITH asked (user_id, id) AS (");
        query.push_values(endpoints, |mut values, (user, id)| {
            values.push_bind(*user).push_bind(*id);
        });
        query.push(") SELECT ");
        push_columns(&mut query, now);
        query.push(
            " FROM asked
            CROSS JOIN endpoint e ON e.id = asked.id AND e.user_id = asked.user_id
            CROSS JOIN lane l ON l.id = e.id AND l.state <> 'deleted'",
        );
        found.extend(query.build_query_as::<RecipientRow>().fetch_all(pool).await?);
    }
    Ok(found)
}

pub(super) async fn known_types(pool: &SqlitePool, names: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for names in names.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT name FROM event_type WHERE name IN (");
        let mut list = query.separated(", ");
        for name in names {
            list.push_bind(name.as_str());
        }
        query.push(")");
        found.extend(query.build_query_scalar::<String>().fetch_all(pool).await?);
    }
    Ok(found)
}

fn push_columns(query: &mut QueryBuilder<Sqlite>, now: i64) {
    query.push(concat!("e.id, e.user_id, e.custom_payload, 0 AS mark, ", healthy_at!(sqlite "l")));
    query.push_bind(now).push(" AS clear");
}
