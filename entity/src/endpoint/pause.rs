//! Pauses and resumes an endpoint. What waits is not touched: it is held by the state of its lane, one row.

use domain::{clock::Millis, delivery::LaneState, id::EndpointId};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError},
};
use sea_orm::{
    ActiveValue,
    ActiveValue::{Set, Unchanged},
    EntityTrait, TransactionTrait,
};

use super::{
    queries::lock,
    view::{EndpointView, find_within},
};
use crate::{db_now::db_now, lane, scope::Scope};

/// What is done to a lane, at this time; nothing where it is done already.
type Switch = fn(&lane::Model, Millis) -> Option<lane::ActiveModel>;

/// Stops sending until it is resumed; returns the endpoint, if there is one that `scope` may see. A paused one stays so.
///
/// # Errors
/// Those of the database.
pub async fn pause(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    id: EndpointId,
) -> Result<Option<EndpointView>, DatabaseError> {
    switch(database, clock, scope, id, paused).await
}

/// Lets it send again, also where it was disabled or its breaker is open; returns the endpoint, if there is one that
/// `scope` may see.
///
/// # Errors
/// Those of the database.
pub async fn resume(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    id: EndpointId,
) -> Result<Option<EndpointView>, DatabaseError> {
    switch(database, clock, scope, id, resumed).await
}

async fn switch(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    id: EndpointId,
    switch: Switch,
) -> Result<Option<EndpointView>, DatabaseError> {
    let tx = database.writer().begin().await?;
    let Some((_, lane)) = lock(&tx, scope, id).await? else {
        return Ok(None);
    };
    // Read under the lock, so that of two switches the later one has the later time.
    let now = db_now(clock, &tx).await?;
    if let Some(switched) = switch(&lane, now) {
        lane::Entity::update(switched).exec(&tx).await?;
    }
    let view = find_within(&tx, clock, scope, id).await?;
    tx.commit().await?;
    Ok(view)
}

/// What was held already is held since then: pausing a disabled endpoint does not give it more time.
fn paused(lane: &lane::Model, now: Millis) -> Option<lane::ActiveModel> {
    if is(lane, LaneState::Paused) {
        return None;
    }
    let since = if is(lane, LaneState::Disabled) { lane.off_since } else { now.0 };
    Some(lane::ActiveModel {
        id: Unchanged(lane.id),
        state: word(LaneState::Paused),
        off_since: Set(since),
        off_reason: Set(None),
        ..Default::default()
    })
}

/// An active lane is resumed only where its breaker keeps it from sending.
fn resumed(lane: &lane::Model, now: Millis) -> Option<lane::ActiveModel> {
    if is(lane, LaneState::Active) && lane.breaker_until == 0 {
        return None;
    }
    Some(lane::ActiveModel {
        id: Unchanged(lane.id),
        state: word(LaneState::Active),
        off_since: Set(0),
        off_reason: Set(None),
        resumed_at: Set(now.0),
        drain_before: Set(now.0),
        failures: Set(0),
        failing_since: Set(0),
        breaker_until: Set(0),
        breaker_wait: Set(0),
        blocked_until: Set(0),
        tell_owner: Set(false),
        ..Default::default()
    })
}

fn is(lane: &lane::Model, state: LaneState) -> bool {
    lane.state == state.as_str()
}

fn word(state: LaneState) -> ActiveValue<String> {
    Set(state.as_str().to_owned())
}
