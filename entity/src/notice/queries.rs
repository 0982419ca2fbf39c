//! Notices, newest first, and what became of them. They belong to no user: only administrators may ask for them.

use domain::id::NoticeId;
use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::sql_builder::SqlBuilder;
use crate::{
    broadcast,
    notice::{Column, Entity, Model},
};

/// Most types that the statistics list.
pub const TOP_TYPES: i64 = 100;

/// How many notices there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub notices: i64,
}

from_row!(Total { notices });

/// Notices that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The channel that they were broadcast on, or their type.
    pub word: String,
    /// How many.
    pub notices: i64,
}

from_row!(Counted { word, notices });

/// The notice, if there is one.
///
/// # Errors
/// Those of the database.
pub async fn find(database: &Database, id: NoticeId) -> Result<Option<Model>, DatabaseError> {
    Ok(Entity::find_by_id(id.0).one(database.reader()).await?)
}

/// At most `limit` notices, those before `before` only, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(
    database: &Database,
    before: Option<NoticeId>,
    limit: u64,
) -> Result<Vec<Model>, DatabaseError> {
    let mut rows = Entity::find();
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    Ok(rows.order_by_desc(Column::Id).limit(limit).all(database.reader()).await?)
}

/// The broadcasts of these notices, by channel.
///
/// # Errors
/// Those of the database.
pub async fn broadcasts(database: &Database, ids: Vec<Uuid>) -> Result<Vec<broadcast::Model>, DatabaseError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let of_them = broadcast::Column::NoticeId.is_in(ids);
    Ok(broadcast::Entity::find()
        .filter(of_them)
        .order_by_asc(broadcast::Column::Channel)
        .all(database.reader())
        .await?)
}

/// Removes the notice; whether there was one. Its broadcasts stay: what they owe is still delivered.
///
/// # Errors
/// Those of the database.
pub async fn delete(database: &Database, id: NoticeId) -> Result<bool, DatabaseError> {
    Ok(Entity::delete_by_id(id.0).exec(database.writer()).await?.rows_affected > 0)
}

/// How many there are: one row of [`Total`].
#[must_use]
pub fn total() -> SqlBuilder {
    let mut query = SqlBuilder::default();
    query.sql("SELECT count(*) AS notices FROM notice");
    query
}

/// How many of them were broadcast: a row of [`Counted`] for each channel that any was broadcast on.
#[must_use]
pub fn sent() -> SqlBuilder {
    let mut query = SqlBuilder::default();
    query.sql(
        "SELECT b.channel AS word, count(*) AS notices FROM broadcast b JOIN notice n ON n.id = b.notice_id
        WHERE b.notice_id IS NOT NULL GROUP BY b.channel",
    );
    query
}

/// The most frequent types: at most [`TOP_TYPES`] rows of [`Counted`], most frequent first.
#[must_use]
pub fn by_type() -> SqlBuilder {
    let mut query = SqlBuilder::default();
    query.sql("SELECT kind AS word, count(*) AS notices FROM notice GROUP BY kind ORDER BY count(*) DESC, ");
    query.bytes_of("kind").sql(" LIMIT ").number(TOP_TYPES);
    query
}
