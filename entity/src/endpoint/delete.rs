//! Deletes an endpoint: its row stays for the history, its secrets do not. What still waits for it is cancelled by the
//! workers.

use domain::{delivery::LaneState, id::EndpointId};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError},
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait, TransactionTrait,
};
use uuid::Uuid;

use super::{ActiveModel, Entity, Model, event_types::unregister, queries::lock};
use crate::{db_now::db_now, lane, scope::Scope};

/// Deletes an endpoint; whether there was one that `scope` may see.
///
/// # Errors
/// Those of the database.
pub async fn delete(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    id: EndpointId,
) -> Result<bool, DatabaseError> {
    let tx = database.writer().begin().await?;
    let Some((old, _)) = lock(&tx, scope, id).await? else {
        return Ok(false);
    };
    let now = db_now(clock, &tx).await?.0;
    lane::Entity::update(off(old.id, now)).exec(&tx).await?;
    Entity::update(wiped(&old, now)).exec(&tx).await?;
    unregister(&tx, id).await?;
    tx.commit().await?;
    Ok(true)
}

fn off(id: Uuid, now: i64) -> lane::ActiveModel {
    lane::ActiveModel {
        id: Unchanged(id),
        state: Set(LaneState::Deleted.as_str().to_owned()),
        off_since: Set(now),
        off_reason: Set(None),
        tell_owner: Set(false),
        ..Default::default()
    }
}

fn wiped(old: &Model, now: i64) -> ActiveModel {
    ActiveModel {
        id: Unchanged(old.id),
        sealed_secret: Set(Vec::new()),
        sealed_headers: Set(None),
        updated_at: Set(now.max(old.updated_at.saturating_add(1))),
        ..Default::default()
    }
}
