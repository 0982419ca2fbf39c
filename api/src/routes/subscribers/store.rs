//! Subscribers on their way into the database: one row a chat.

use std::collections::{BTreeMap, HashMap};

use entity::subscriber::{Model, upsert::upsert_subscribers};
use uuid::Uuid;

use super::Subscribers;
use crate::{app::App, problem::Problem, routes::resource::Resource};

/// What makes a row one and the same: its chat; without one, its id.
type Key = (Option<String>, Option<Uuid>);

/// Writes all of them in one statement; returns them as they stand then, in the order in which they were given.
pub(super) async fn upsert(app: &App, rows: Vec<Model>) -> Result<Vec<Model>, Problem> {
    let given: Vec<Key> = rows.iter().map(key).collect();
    let (database, time) = (&app.context.database, app.context.database.statement_time(&app.context.clock));
    let stored = upsert_subscribers(database, &distinct(rows), time).await.map_err(Subscribers::unwritten)?;
    let stored: HashMap<Key, Model> = stored.into_iter().map(|row| (key(&row), row)).collect();
    let in_order: Option<Vec<Model>> = given.iter().map(|key| stored.get(key).cloned()).collect();
    in_order.ok_or_else(|| Problem::internal("a subscriber was written and is not there", "no row"))
}

/// Each chat once, the last that was given of it, in the order that every process keeps.
fn distinct(rows: Vec<Model>) -> Vec<Model> {
    let by_key: BTreeMap<Key, Model> = rows.into_iter().map(|row| (key(&row), row)).collect();
    by_key.into_values().collect()
}

fn key(row: &Model) -> Key {
    (row.chat_id.clone(), row.chat_id.is_none().then_some(row.id))
}
