//! Changes of an endpoint. Only what is given is written, under the lock of its lane: of two changes at once neither is
//! lost.

use domain::{
    event_type::EventTypeRef,
    id::{EndpointId, UserId},
};
use platform::{clock::Clock, database::Database};
use sea_orm::{
    ActiveModelTrait, ActiveValue,
    ActiveValue::{NotSet, Set, Unchanged},
    ConnectionTrait, DbErr, EntityTrait, TransactionTrait,
};
use uuid::Uuid;

use super::{
    ActiveModel, Entity, Model,
    event_types::{WriteError, register},
    queries::lock,
    view::{EndpointView, find_within},
};
use crate::{lane, scope::Scope};

/// What is to be different. The outer `None`: stays; the inner one: is cleared.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Where it is sent.
    pub url: Option<String>,
    /// What it is registered for.
    pub event_types: Option<Vec<EventTypeRef>>,
    /// What it is for.
    pub description: Option<String>,
    /// Custom headers, sealed.
    pub sealed_headers: Option<Option<Vec<u8>>>,
    /// A JSON object laid over each body.
    pub custom_payload: Option<Option<String>>,
    /// The signing keys, sealed.
    pub sealed_secret: Option<Vec<u8>>,
    /// Most sends a second.
    pub rate_limit: Option<Option<i32>>,
    /// Most sends under way.
    pub max_in_flight: Option<Option<i32>>,
    /// Deadline of an attempt.
    pub timeout_ms: Option<Option<i32>>,
    /// Its own retry schedule.
    pub retry_schedule: Option<Option<String>>,
    /// A JSON object of its owner's.
    pub metadata: Option<Option<String>>,
}

/// Changes an endpoint by what `change` makes of its row, which is locked by then, and returns how it stands; none where
/// there is none that `scope` may see.
///
/// # Errors
/// That of `change`, and [`WriteError`].
pub async fn change<E: From<WriteError>>(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    id: EndpointId,
    change: impl FnOnce(&Model) -> Result<Change, E>,
) -> Result<Option<EndpointView>, E> {
    let tx = database.writer().begin().await.map_err(failed)?;
    let Some((old, _)) = lock(&tx, scope, id).await.map_err(failed)? else {
        return Ok(None);
    };
    let change = change(&old)?;
    write(&tx, clock, &old, change).await?;
    let view = find_within(&tx, clock, scope, id).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok(view)
}

fn failed<E: From<WriteError>>(error: DbErr) -> E {
    WriteError::from(error).into()
}

async fn write(
    tx: &impl ConnectionTrait,
    clock: &Clock,
    old: &Model,
    change: Change,
) -> Result<(), WriteError> {
    let now = clock.now();
    let lane = change.lane(old.id);
    let (mut row, event_types) = change.into_row(old.id);
    if !row.is_changed() && !lane.is_changed() && event_types.is_none() {
        return Ok(());
    }
    if let Some(asked) = &event_types {
        register(tx, (old.id.into(), UserId(old.user_id)), asked, now).await?;
    }
    // It moves with every change, also when two fall into one millisecond.
    row.updated_at = Set(now.0.max(old.updated_at.saturating_add(1)));
    Entity::update(row).exec(tx).await?;
    if lane.is_changed() {
        lane::Entity::update(lane).exec(tx).await?;
    }
    Ok(())
}

impl Change {
    fn lane(&self, id: Uuid) -> lane::ActiveModel {
        lane::ActiveModel {
            id: Unchanged(id),
            rate_limit: set(self.rate_limit),
            max_in_flight: set(self.max_in_flight),
            ..Default::default()
        }
    }

    fn into_row(self, id: Uuid) -> (ActiveModel, Option<Vec<EventTypeRef>>) {
        let row = ActiveModel {
            id: Unchanged(id),
            url: set(self.url),
            description: set(self.description),
            sealed_headers: set(self.sealed_headers),
            custom_payload: set(self.custom_payload),
            sealed_secret: set(self.sealed_secret),
            timeout_ms: set(self.timeout_ms),
            retry_schedule: set(self.retry_schedule),
            metadata: set(self.metadata),
            ..Default::default()
        };
        (row, self.event_types)
    }
}

fn set<T: Into<sea_orm::Value>>(change: Option<T>) -> ActiveValue<T> {
    change.map_or(NotSet, Set)
}
