//! Push subscriptions by what their browsers know of them.

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::push_subscription::{Column, Entity, Model};

/// The subscription of this endpoint, if there is one. To know its address is not enough to be told anything of it.
///
/// # Errors
/// Those of the database.
pub async fn at(db: &impl ConnectionTrait, endpoint: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Endpoint.eq(endpoint)).one(db).await
}
