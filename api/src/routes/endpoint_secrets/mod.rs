//! `GET /v1/endpoints/{id}/secret` and `POST …/secret/rotate`: the signing keys, for their owner. Every look and every
//! change is logged; the private half of an ed25519 key never leaves the server.

mod request;
mod store;

use std::borrow::Cow;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use domain::{id::EndpointId, problem::ProblemCode, signature::SigningKeys};
use entity::scope::Scope;
use http::header::CACHE_CONTROL;
use platform::queue::Signal;
use serde::Serialize;

use self::request::Rotation;
pub(crate) use self::store::{open, seal};
use crate::{app::App, auth::Manager, extract::Id, problem::Problem};

/// Rotations of one endpoint at once that one of them outlasts: each time it has to start again, another was done.
const TRIES: usize = 16;

#[derive(Serialize)]
struct KeysOut<'a> {
    secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
}

/// Shows the current secret, and the public key where there is one.
pub(crate) async fn show(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let endpoint = store::load(&app.context, manager.scope, id).await?;
    tell(&manager, id, endpoint.user_id(), "signing secret shown");
    Ok(answer(&endpoint.keys))
}

/// Replaces the current keys. What they were goes on signing for the grace that the caller gives.
pub(crate) async fn rotate(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let rotation = Rotation::read(request, &app.limits).await?;
    for _ in 0..TRIES {
        let endpoint = store::load(&app.context, manager.scope, id).await?;
        let keys = rotation.of(endpoint.keys.clone(), app.context.clock.now())?;
        if store::replace(&app.context, &endpoint, &keys).await? {
            app.context.queue.signal(Signal::EndpointChanged);
            tell(&manager, id, endpoint.user_id(), "signing secret rotated");
            return Ok(answer(&keys));
        }
    }
    Err(Problem::new(ProblemCode::Overloaded, "this secret is being rotated by too many callers at once"))
}

fn answer(keys: &SigningKeys) -> Response {
    let public_key = keys.public_key().map(|key| key.to_string());
    let keys_out = KeysOut { secret: keys.secret().expose(), public_key };
    ([(CACHE_CONTROL, "no-store")], Json(keys_out)).into_response()
}

/// The one line of the audit: who did what to whose endpoint, and nothing of the keys.
fn tell(manager: &Manager, id: EndpointId, user_id: i64, what: &'static str) {
    let by = match manager.scope {
        Scope::Everyone => Cow::Borrowed("admin"),
        Scope::User(user) => Cow::Owned(format!("user {}", user.0)),
    };
    tracing::info!(target: "audit", endpoint_id = %id, user_id, %by, "{what}");
}

/// What the sealed secret of an endpoint is bound to.
fn secret_context(id: EndpointId) -> Vec<u8> {
    [b"endpoint-secret:", &id.0.as_bytes()[..]].concat()
}

/// What the sealed custom headers of an endpoint are bound to.
pub(crate) fn headers_context(id: EndpointId) -> Vec<u8> {
    [b"endpoint-headers:", &id.0.as_bytes()[..]].concat()
}
