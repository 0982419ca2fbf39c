//! Subscribers, newest first, and how many users there are. They belong to no user: only administrators may ask for them.

use domain::id::SubscriberId;
use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::sql_builder::SqlBuilder;
use crate::subscriber::{Column, Entity, Model};

/// How many users there are: subscribers, and those who only have push subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Users {
    /// Subscribers.
    pub subscribers: i64,
    /// Those of them that get what is announced.
    pub active: i64,
    /// Those of them that have a chat.
    pub with_telegram: i64,
    /// Those of them that have a push subscription.
    pub with_web_push: i64,
    /// Users of push subscriptions who are no subscribers; of a subscription without a user, each is one.
    pub push_only: i64,
}

from_row!(Users { subscribers, active, with_telegram, with_web_push, push_only });

/// The subscriber, if there is one.
///
/// # Errors
/// Those of the database.
pub async fn find(database: &Database, id: SubscriberId) -> Result<Option<Model>, DatabaseError> {
    Ok(Entity::find_by_id(id.0).one(database.reader()).await?)
}

/// At most `limit` subscribers, those before `before` only, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(
    database: &Database,
    before: Option<SubscriberId>,
    limit: u64,
) -> Result<Vec<Model>, DatabaseError> {
    let mut rows = Entity::find();
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    Ok(rows.order_by_desc(Column::Id).limit(limit).all(database.reader()).await?)
}

/// Removes the subscriber; whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn delete(database: &Database, id: SubscriberId) -> Result<bool, DatabaseError> {
    Ok(Entity::delete_by_id(id.0).exec(database.writer()).await?.rows_affected > 0)
}

/// How many users there are: one row of [`Users`].
#[must_use]
pub fn users() -> SqlBuilder {
    const SQL: &str = "SELECT
        (SELECT count(*) FROM subscriber) AS subscribers,
        (SELECT count(*) FROM subscriber WHERE active) AS active,
        (SELECT count(*) FROM subscriber WHERE chat_id IS NOT NULL) AS with_telegram,
        (SELECT count(*) FROM subscriber s
         WHERE EXISTS (SELECT 1 FROM push_subscription p WHERE p.user_id = s.user_id)) AS with_web_push,
        (SELECT count(*) FROM push_subscription WHERE user_id IS NULL)
        + (SELECT count(DISTINCT p.user_id) FROM push_subscription p
           WHERE p.user_id IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM subscriber s WHERE s.user_id = p.user_id)) AS push_only";
    let mut query = SqlBuilder::default();
    query.sql(SQL);
    query
}
