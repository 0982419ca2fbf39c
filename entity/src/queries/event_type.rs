//! Event types. They belong to no user.

use domain::id::EventTypeId;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryOrder, QuerySelect};

use crate::event_type::{Column, Entity, Model};

/// Most event types that are listed at once.
pub const MAX_LISTED: u64 = 10_000;

/// All of them by name, at most [`MAX_LISTED`].
///
/// # Errors
/// Those of the database.
pub async fn by_name(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Name).limit(MAX_LISTED).all(db).await
}

/// Whether there is such an event type.
///
/// # Errors
/// Those of the database.
pub async fn exists(db: &impl ConnectionTrait, id: EventTypeId) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(id.0).count(db).await? > 0)
}
