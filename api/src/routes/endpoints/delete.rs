//! `DELETE /v1/endpoints/{id}`.

use axum::extract::State;
use domain::id::EndpointId;
use http::StatusCode;
use platform::{context::Context, queue::Signal};

use super::{unknown, unwritten};
use crate::{app::App, auth::Manager, extract::Id, problem::Problem};

/// Deletes an endpoint. What still waits for it is cancelled by the workers.
pub(crate) async fn delete(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<StatusCode, Problem> {
    let Context { database, clock, .. } = &app.context;
    let deleted = entity::endpoint::delete::delete(database, clock, manager.scope, id).await;
    if !deleted.map_err(unwritten)? {
        return Err(unknown());
    }
    app.context.queue.signal(Signal::EndpointChanged);
    tracing::info!(endpoint_id = %id, "endpoint deleted");
    Ok(StatusCode::NO_CONTENT)
}
