//! Uploads.

use domain::id::UploadId;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::scope::Scope;
use crate::upload::{Column, Entity, Model};

/// The upload, if there is one that `scope` may see.
///
/// # Errors
/// Those of the database.
pub async fn find(db: &impl ConnectionTrait, scope: Scope, id: UploadId) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Id.eq(id.0)).filter(scope.of(Column::UserId)).one(db).await
}
