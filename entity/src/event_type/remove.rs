//! Removes an event type that nothing is registered for.

use domain::event_type::{EventTypeRef, SEEDED};
use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, TransactionTrait};

use super::{Entity, queries::lock};
use crate::endpoint_event_type as registration;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Gone,
    /// There is none.
    Unknown,
    /// Hookyard itself needs it.
    Seeded,
    /// Endpoints are registered for it.
    Registered,
}

/// Removes an event type unless it is needed. No endpoint is registered for it meanwhile.
///
/// # Errors
/// Those of the database.
pub async fn remove(database: &Database, asked: &EventTypeRef) -> Result<Removed, DatabaseError> {
    let tx = database.writer().begin().await?;
    let Some(row) = lock(&tx, asked).await? else {
        return Ok(Removed::Unknown);
    };
    if SEEDED.contains(&row.name.as_str()) {
        return Ok(Removed::Seeded);
    }
    let registered = registration::Column::EventTypeId.eq(row.id);
    if registration::Entity::find().filter(registered).count(&tx).await? > 0 {
        return Ok(Removed::Registered);
    }
    Entity::delete_by_id(row.id).exec(&tx).await?;
    tx.commit().await?;
    Ok(Removed::Gone)
}
