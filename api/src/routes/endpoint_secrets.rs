//! `GET /v1/endpoints/{id}/secret`: the signing secret, for its owner. Every look is logged.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{id::EndpointId, problem::ProblemCode};
use entity::queries;
use http::header::CACHE_CONTROL;
use serde_json::json;

use crate::{app::App, auth::Manager, extract::Id, problem::Problem};

/// Shows the secret.
pub(crate) async fn show(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let found = queries::endpoint::find(app.context.database.reader(), manager.scope, id)
        .await
        .map_err(|error| Problem::unavailable("an endpoint cannot be read", error))?;
    let endpoint = found.ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such endpoint"))?;
    let secret = app
        .context
        .keys
        .open(&secret_context(id), &endpoint.sealed_secret)
        .map_err(|error| Problem::internal("an endpoint's secret cannot be opened", error))?;
    tracing::info!(target: "audit", endpoint_id = %id, user_id = endpoint.user_id, "signing secret shown");
    let told = json!({"secret": String::from_utf8_lossy(&secret)});
    Ok(([(CACHE_CONTROL, "no-store")], Json(told)).into_response())
}

/// What the sealed secret of an endpoint is bound to.
pub(crate) fn secret_context(id: EndpointId) -> Vec<u8> {
    [b"endpoint-secret:", &id.0.as_bytes()[..]].concat()
}

/// What the sealed custom headers of an endpoint are bound to.
pub(crate) fn headers_context(id: EndpointId) -> Vec<u8> {
    [b"endpoint-headers:", &id.0.as_bytes()[..]].concat()
}
