//! The error log, newest first.

use domain::id::ErrorId;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::error_log::{Column, Entity, Model};
use crate::scope::Scope;

/// At most `limit` rows that `scope` may see, those before `before` only, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(
    db: &impl ConnectionTrait,
    scope: Scope,
    before: Option<ErrorId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut rows = Entity::find().filter(scope.of(Column::UserId));
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    rows.order_by_desc(Column::Id).limit(limit).all(db).await
}
