//! The attempts of one delivery.

use domain::id::DeliveryId;
use entity::attempt::Model;
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

/// Most attempts that a page shows: four default schedules.
pub(crate) const SHOWN: u64 = 40;

/// The newest attempts, newest first.
pub(crate) async fn of_delivery(db: &DatabaseConnection, delivery: Uuid) -> Result<Vec<Model>, DbErr> {
    let mut attempts = entity::delivery::queries::attempts(db, DeliveryId(delivery)).await?;
    attempts.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
    Ok(attempts)
}
