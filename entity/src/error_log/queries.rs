//! The error log, newest first.

use domain::id::ErrorId;
use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::error_log::{Column, Entity, Model};
use crate::scope::Scope;

/// At most `limit` rows that `scope` may see, those before `before` only, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(
    database: &Database,
    scope: Scope,
    before: Option<ErrorId>,
    limit: u64,
) -> Result<Vec<Model>, DatabaseError> {
    let mut rows = Entity::find().filter(scope.of(Column::UserId));
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    Ok(rows.order_by_desc(Column::Id).limit(limit).all(database.reader()).await?)
}
