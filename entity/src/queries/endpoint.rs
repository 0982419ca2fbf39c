//! Registered webhooks.

use domain::id::EndpointId;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::Scope;
use crate::endpoint::{Column, Entity, Model};

/// The endpoint, if there is one that `scope` may see.
///
/// # Errors
/// Those of the database.
pub async fn find(db: &impl ConnectionTrait, scope: Scope, id: EndpointId) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Id.eq(id.0)).filter(scope.of(Column::UserId)).one(db).await
}
