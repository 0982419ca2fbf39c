//! A new endpoint with its lane and its event types, in one transaction.

use domain::{
    clock::Millis,
    delivery::Channel,
    event_type::EventTypeRef,
    id::{EndpointId, LaneId, UserId},
};
use platform::{clock::Clock, database::Database};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, TransactionTrait,
};

use super::{
    Entity, Model,
    event_types::{WriteError, register},
    view::{EndpointView, find_within},
};
use crate::{lane, scope::Scope};

/// An endpoint to create.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Its row; secrets are sealed.
    pub row: Model,
    /// Most sends a second.
    pub rate_limit: Option<i32>,
    /// Most sends under way.
    pub max_in_flight: Option<i32>,
    /// What it is registered for.
    pub event_types: Vec<EventTypeRef>,
}

/// Writes it all, or nothing.
///
/// # Errors
/// See [`WriteError`].
pub async fn create(database: &Database, new: NewEndpoint) -> Result<(), WriteError> {
    let tx = database.writer().begin().await?;
    insert(&tx, new).await?;
    Ok(tx.commit().await?)
}

/// Does the same and returns what was written, as it is read within the transaction.
///
/// # Errors
/// See [`WriteError`].
pub async fn create_and_view(
    database: &Database,
    clock: &Clock,
    new: NewEndpoint,
) -> Result<Option<EndpointView>, WriteError> {
    let id = EndpointId::from(new.row.id);
    let tx = database.writer().begin().await?;
    insert(&tx, new).await?;
    let view = find_within(&tx, clock, Scope::Everyone, id).await?;
    tx.commit().await?;
    Ok(view)
}

async fn insert(tx: &impl ConnectionTrait, new: NewEndpoint) -> Result<(), WriteError> {
    let (id, user, created_at) =
        (EndpointId::from(new.row.id), UserId(new.row.user_id), Millis(new.row.created_at));
    let lane = lane::ActiveModel {
        id: Set(LaneId::from(id).0),
        channel: Set(Channel::Webhook.as_str().to_owned()),
        rate_limit: Set(new.rate_limit),
        max_in_flight: Set(new.max_in_flight),
        ..Default::default()
    };
    lane::Entity::insert(lane).exec_without_returning(tx).await?;
    Entity::insert(new.row.into_active_model().reset_all()).exec_without_returning(tx).await?;
    register(tx, (id, user), &new.event_types, created_at).await
}
