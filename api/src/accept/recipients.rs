//! Who gets an event: the endpoints of its user that are registered for its type, one statement for a batch.

use std::collections::HashMap;

use domain::{
    endpoint::CustomPayload,
    id::{EndpointId, UserId},
};
use platform::{
    context::Context,
    database::{DatabaseError, Pool},
};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::NewEvent;

/// An endpoint that gets an event.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    pub(super) endpoint_id: EndpointId,
    pub(super) user_id: UserId,
    pub(super) custom_payload: Option<CustomPayload>,
    /// Whether a hint makes sense: the lane is active and has no backlog.
    pub(super) clear: bool,
}

type Key = (Option<i64>, String);

/// The recipients of a batch's events, by user and type.
#[derive(Default)]
pub(super) struct Recipients(HashMap<Key, Vec<Recipient>>);

impl Recipients {
    pub(super) fn get(&self, event: &NewEvent) -> &[Recipient] {
        self.0.get(&key(event)).map_or(&[], Vec::as_slice)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    asked_user: Option<i64>,
    name: String,
    id: Uuid,
    user_id: i64,
    custom_payload: Option<String>,
    clear: bool,
}

/// Finds the recipients of these events.
pub(super) async fn of(context: &Context, events: &[&NewEvent]) -> Result<Recipients, DatabaseError> {
    let mut keys: Vec<Key> = events.iter().map(|event| key(event)).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(Recipients::default());
    }
    let mut found = Recipients::default();
    for row in rows(context, &keys).await? {
        found.0.entry((row.asked_user, row.name)).or_default().push(Recipient {
            endpoint_id: row.id.into(),
            user_id: UserId(row.user_id),
            custom_payload: row.custom_payload.as_deref().and_then(payload),
            clear: row.clear,
        });
    }
    Ok(found)
}

async fn rows(context: &Context, keys: &[Key]) -> Result<Vec<Row>, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => {
            let (users, names): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
            let query = sqlx::query_as(POSTGRES).bind(users).bind(names).bind(time);
            query.fetch_all(pool).await?
        }
        Pool::Sqlite(_) => {
            let mut query = sqlite(keys, time);
            let reader = context.database.reader().get_sqlite_connection_pool();
            query.build_query_as().fetch_all(reader).await?
        }
    })
}

const POSTGRES: &str = "SELECT asked.user_id AS asked_user, asked.name, e.id, e.user_id, e.custom_payload,
           l.state = 'active' AND l.backlog_until <= now_ms() + $3 AND l.blocked_until <= now_ms() + $3 AS clear
    FROM unnest($1::bigint[], $2::text[]) AS asked (user_id, name)
    JOIN event_type t ON t.name = asked.name
    JOIN endpoint_event_type x ON x.event_type_id = t.id
    JOIN endpoint e ON e.id = x.endpoint_id AND (asked.user_id IS NULL OR e.user_id = asked.user_id)
    JOIN lane l ON l.id = e.id";

fn sqlite(keys: &[Key], now: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("WITH asked (user_id, name) AS (");
    query.push_values(keys, |mut values, (user, name)| {
        values.push_bind(*user).push_bind(name.clone());
    });
    query.push(") SELECT asked.user_id AS asked_user, asked.name, e.id, e.user_id, e.custom_payload, ");
    query.push("l.state = 'active' AND max(l.backlog_until, l.blocked_until) <= ").push_bind(now);
    query.push(
        " AS clear FROM asked
        JOIN event_type t ON t.name = asked.name
        JOIN endpoint_event_type x ON x.event_type_id = t.id
        JOIN endpoint e ON e.id = x.endpoint_id AND (asked.user_id IS NULL OR e.user_id = asked.user_id)
        JOIN lane l ON l.id = e.id",
    );
    query
}

fn key(event: &NewEvent) -> Key {
    (event.user_id.map(|user| user.0), event.event_type.clone())
}

/// A stored payload was checked when it came in; one that can't be read any more changes nothing.
fn payload(stored: &str) -> Option<CustomPayload> {
    CustomPayload::parse(&serde_json::from_str(stored).ok()?).ok()
}
