//! `POST /v1/endpoints/{id}/pause` and `/resume`. Asked again, they change nothing.
//! What waits is not touched: it is held by the state of its lane, one row.

use axum::{Json, extract::State};
use domain::{clock::Millis, delivery::LaneState, id::EndpointId};
use entity::{lane, scope::Scope};
use platform::{context::Context, queue::Signal};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    DbErr, EntityTrait, TransactionTrait,
};

use super::{
    moment, unknown, unwritten,
    view::{self, EndpointOut},
};
use crate::{app::App, auth::Manager, extract::Id, problem::Problem};

/// What a switch does to a lane, at this time; nothing where it is done already.
type Switch = fn(&lane::Model, Millis) -> Option<lane::ActiveModel>;

/// Stops sending until it is resumed.
pub(crate) async fn pause(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<Json<EndpointOut>, Problem> {
    let shown = switch(&app.context, manager.scope, id, paused).await?;
    tracing::info!(endpoint_id = %id, "endpoint paused");
    Ok(Json(shown))
}

/// Sends again what is due, also where it was disabled or its breaker is open.
pub(crate) async fn resume(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<Json<EndpointOut>, Problem> {
    let shown = switch(&app.context, manager.scope, id, resumed).await?;
    app.context.queue.wake();
    tracing::info!(endpoint_id = %id, "endpoint resumed");
    Ok(Json(shown))
}

async fn switch(
    context: &Context,
    scope: Scope,
    id: EndpointId,
    switch: Switch,
) -> Result<EndpointOut, Problem> {
    let switched = write(context, scope, id, switch).await.map_err(unwritten)?;
    context.queue.signal(Signal::EndpointChanged);
    switched.ok_or_else(unknown)
}

async fn write(
    context: &Context,
    scope: Scope,
    id: EndpointId,
    switch: Switch,
) -> Result<Option<EndpointOut>, DbErr> {
    let tx = context.database.writer().begin().await?;
    let Some((_, lane)) = entity::endpoint::queries::lock(&tx, scope, id).await? else {
        return Ok(None);
    };
    // Read under the lock, so that of two switches the later one has the later time.
    let now = moment::now(context, &tx).await?;
    if let Some(switched) = switch(&lane, now) {
        lane::Entity::update(switched).exec(&tx).await?;
    }
    let shown = view::one(context, &tx, id, scope).await?;
    tx.commit().await?;
    Ok(shown)
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

fn word(state: LaneState) -> sea_orm::ActiveValue<String> {
    Set(state.as_str().to_owned())
}
