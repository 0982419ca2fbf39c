//! The error log, newest first.

use entity::error_log::{Column, Entity, Model};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// How many the overview shows.
pub(crate) const LATEST: u64 = 8;
/// How many a page of the list shows.
pub(crate) const PAGE: usize = 50;

/// The newest errors.
pub(crate) async fn latest(db: &DatabaseConnection) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_desc(Column::Id).limit(LATEST).all(db).await
}

/// A page of the list: those below `before`, one more than [`PAGE`] when there is another page.
pub(crate) async fn page(db: &DatabaseConnection, before: Option<Uuid>) -> Result<Vec<Model>, DbErr> {
    let query = Entity::find().order_by_desc(Column::Id).limit(PAGE as u64 + 1);
    match before {
        Some(before) => query.filter(Column::Id.lt(before)).all(db).await,
        None => query.all(db).await,
    }
}
