//! The event types that an endpoint is registered for.
//! System types that every endpoint may name are created when the first one does.

use domain::{
    clock::Millis,
    event_type::{ENDPOINT_DISABLED, EventTypeRef},
    id::{EndpointId, EventTypeId, UserId},
};
use platform::database::{Database, DatabaseError};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{endpoint_event_type as registration, event_type};

/// An endpoint was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There are no event types at these positions of what was asked for.
    #[error("unknown event types at {0:?}")]
    UnknownTypes(Vec<usize>),
}

impl From<DbErr> for WriteError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

/// Returns the positions of those that are not there and will not be made.
///
/// # Errors
/// Those of the database.
pub async fn unknown(database: &Database, asked: &[EventTypeRef]) -> Result<Vec<usize>, DatabaseError> {
    let known = event_type::queries::named(database, asked).await?;
    let is_known = |one: &EventTypeRef| is_system_event_type(one) || find(&known, one).is_some();
    Ok(asked.iter().enumerate().filter(|(_, one)| !is_known(one)).map(|(index, _)| index).collect())
}

/// Registers `endpoint` for what is asked for, instead of what it was registered for.
pub(super) async fn register(
    tx: &impl ConnectionTrait,
    (endpoint, user): (EndpointId, UserId),
    asked: &[EventTypeRef],
    now: Millis,
) -> Result<(), WriteError> {
    if asked.iter().any(is_system_event_type) {
        create_system_type(tx, now).await?;
    }
    let ids = ids(&event_type::queries::keep(tx, asked).await?, asked)?;
    unregister(tx, endpoint).await?;
    let rows = ids.into_iter().map(|id| registration::ActiveModel {
        event_type_id: Set(id),
        endpoint_id: Set(endpoint.0),
        user_id: Set(user.0),
    });
    registration::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// Registers `endpoint` for nothing any more.
pub(super) async fn unregister(tx: &impl ConnectionTrait, endpoint: EndpointId) -> Result<(), DbErr> {
    let of_it = registration::Column::EndpointId.eq(endpoint.0);
    registration::Entity::delete_many().filter(of_it).exec(tx).await?;
    Ok(())
}

async fn create_system_type(tx: &impl ConnectionTrait, now: Millis) -> Result<(), DbErr> {
    let row = event_type::ActiveModel {
        id: Set(EventTypeId::new().0),
        name: Set(ENDPOINT_DISABLED.to_owned()),
        description: Set("One of your other endpoints was disabled".to_owned()),
        created_at: Set(now.0),
    };
    let insert = event_type::Entity::insert(row).on_conflict_do_nothing_on([event_type::Column::Name]);
    insert.exec_without_returning(tx).await?;
    Ok(())
}

/// The ids of what is asked for, each once, in an order that all writers share.
fn ids(known: &[event_type::Model], asked: &[EventTypeRef]) -> Result<Vec<Uuid>, WriteError> {
    let (mut ids, mut unknown) = (Vec::new(), Vec::new());
    for (index, one) in asked.iter().enumerate() {
        match find(known, one) {
            Some(id) => ids.push(id),
            None => unknown.push(index),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    if unknown.is_empty() { Ok(ids) } else { Err(WriteError::UnknownTypes(unknown)) }
}

fn find(known: &[event_type::Model], asked: &EventTypeRef) -> Option<Uuid> {
    let fits = |row: &&event_type::Model| match asked {
        EventTypeRef::Id(id) => row.id == id.0,
        EventTypeRef::Name(name) => row.name == name.as_str(),
    };
    known.iter().find(fits).map(|row| row.id)
}

fn is_system_event_type(asked: &EventTypeRef) -> bool {
    matches!(asked, EventTypeRef::Name(name) if name.as_str() == ENDPOINT_DISABLED)
}
