//! `DELETE /v1/endpoints/{id}`: its row stays for the history, its secrets do not.
//! What still waits for it is cancelled by the workers.

use axum::extract::State;
use domain::{delivery::LaneState, id::EndpointId};
use entity::{endpoint, lane, scope::Scope};
use http::StatusCode;
use platform::{context::Context, queue::Signal};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    DbErr, EntityTrait, TransactionTrait,
};

use super::{moment, types, unknown, unwritten};
use crate::{app::App, auth::Manager, extract::Id, problem::Problem};

/// Deletes an endpoint.
pub(crate) async fn delete(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<StatusCode, Problem> {
    if !write(&app.context, manager.scope, id).await.map_err(unwritten)? {
        return Err(unknown());
    }
    app.context.queue.signal(Signal::EndpointChanged);
    tracing::info!(endpoint_id = %id, "endpoint deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Whether there was one.
async fn write(context: &Context, scope: Scope, id: EndpointId) -> Result<bool, DbErr> {
    let tx = context.database.writer().begin().await?;
    let Some((old, _)) = entity::endpoint::queries::lock(&tx, scope, id).await? else {
        return Ok(false);
    };
    let now = moment::now(context, &tx).await?.0;
    lane::Entity::update(off(old.id, now)).exec(&tx).await?;
    endpoint::Entity::update(wiped(&old, now)).exec(&tx).await?;
    types::forget(&tx, id).await?;
    tx.commit().await?;
    Ok(true)
}

fn off(id: uuid::Uuid, now: i64) -> lane::ActiveModel {
    lane::ActiveModel {
        id: Unchanged(id),
        state: Set(LaneState::Deleted.as_str().to_owned()),
        off_since: Set(now),
        off_reason: Set(None),
        tell_owner: Set(false),
        ..Default::default()
    }
}

fn wiped(old: &endpoint::Model, now: i64) -> endpoint::ActiveModel {
    endpoint::ActiveModel {
        id: Unchanged(old.id),
        sealed_secret: Set(Vec::new()),
        sealed_headers: Set(None),
        updated_at: Set(now.max(old.updated_at.saturating_add(1))),
        ..Default::default()
    }
}
