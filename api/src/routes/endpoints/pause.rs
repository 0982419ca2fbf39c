//! `POST /v1/endpoints/{id}/pause` and `/resume`. Asked again, they change nothing.

use axum::{Json, extract::State};
use domain::id::EndpointId;
use entity::endpoint::{pause, view::EndpointView};
use platform::{context::Context, database::DatabaseError, queue::Signal};

use super::{unknown, unwritten, view::EndpointOut};
use crate::{app::App, auth::Manager, extract::Id, problem::Problem};

/// Stops sending until it is resumed.
pub(crate) async fn pause(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<Json<EndpointOut>, Problem> {
    let Context { database, clock, .. } = &app.context;
    let shown = switched(&app.context, pause::pause(database, clock, manager.scope, id).await)?;
    tracing::info!(endpoint_id = %id, "endpoint paused");
    Ok(Json(shown))
}

/// Sends again what is due, also where it was disabled or its breaker is open.
pub(crate) async fn resume(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<Json<EndpointOut>, Problem> {
    let Context { database, clock, .. } = &app.context;
    let shown = switched(&app.context, pause::resume(database, clock, manager.scope, id).await)?;
    app.context.queue.wake();
    tracing::info!(endpoint_id = %id, "endpoint resumed");
    Ok(Json(shown))
}

fn switched(
    context: &Context,
    switched: Result<Option<EndpointView>, DatabaseError>,
) -> Result<EndpointOut, Problem> {
    let view = switched.map_err(unwritten)?;
    context.queue.signal(Signal::EndpointChanged);
    view.map(|view| EndpointOut::of(context, view)).ok_or_else(unknown)
}
