//! Push subscriptions by what their browsers know of them, and how many have never been reached.

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use crate::{
    lane,
    push_subscription::{Column, Entity, Model},
};

/// The subscription of this endpoint, if there is one. To know its address is not enough to be told anything of it.
///
/// # Errors
/// Those of the database.
pub async fn at(db: &impl ConnectionTrait, endpoint: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Endpoint.eq(endpoint)).one(db).await
}

/// Whether its push service has a lane of its own.
///
/// # Errors
/// Those of the database.
pub async fn has_own_lane(db: &impl ConnectionTrait, subscription: &Model) -> Result<bool, DbErr> {
    Ok(lane::Entity::find_by_id(subscription.lane_id).one(db).await?.is_some())
}

/// How many subscriptions no message has reached yet, counted up to `most`.
///
/// # Errors
/// Those of the database.
pub async fn unreached(db: &impl ConnectionTrait, most: u64) -> Result<u64, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ReachedAt.is_null())
        .limit(most)
        .count(db)
        .await
}
