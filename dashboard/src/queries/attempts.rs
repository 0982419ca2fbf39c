//! The attempts of one delivery.

use entity::attempt::{Column, Entity, Model};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// Most attempts that a page shows: four default schedules.
pub(crate) const SHOWN: u64 = 40;

/// The newest attempts, newest first.
pub(crate) async fn of_delivery(db: &DatabaseConnection, delivery: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::DeliveryId.eq(delivery))
        .order_by_desc(Column::Number)
        .order_by_desc(Column::Id)
        .limit(SHOWN)
        .all(db)
        .await
}
