//! `POST /webhook/register`: an endpoint for one event type.

mod request;
mod store;

use axum::extract::{Request, State};
use domain::{
    id::{EndpointId, UserId},
    problem::ProblemCode,
    signature::SigningSecret,
};
use entity::queries;
use serde::Serialize;

use self::{request::Registration, store::NewEndpoint};
use super::envelope::Envelope;
use crate::{app::App, auth::Manager, extract::json_body, problem::Problem};

/// Largest body, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1_024;

#[derive(Serialize)]
pub(crate) struct Registered {
    id: EndpointId,
    user_id: UserId,
    url: String,
    created_at: String,
    updated_at: String,
}

/// Registers a webhook; its secret is at `/v1/endpoints/{id}/secret`.
pub(crate) async fn register(
    manager: Manager,
    State(app): State<App>,
    request: Request,
) -> Result<Envelope<Registered>, Problem> {
    let wanted = Registration::read(&json_body(request, MAX_BODY, &app.limits).await?, &app.guard)?;
    if !manager.scope.covers(wanted.user_id) {
        return Err(ProblemCode::Forbidden.into());
    }
    known_event_type(&app, &wanted).await?;
    let endpoint = NewEndpoint::of(wanted, SigningSecret::generate(), app.context.clock.now());
    store::insert(&app.context, &endpoint)
        .await
        .map_err(|e| Problem::unavailable("a registration was not stored", e))?;
    tracing::info!(endpoint_id = %endpoint.id, user_id = endpoint.wanted.user_id.0, "webhook registered");
    Ok(Envelope::of("Register Webhook Successfully!", Registered::of(&endpoint)))
}

async fn known_event_type(app: &App, wanted: &Registration) -> Result<(), Problem> {
    let known = queries::event_type::exists(app.context.database.reader(), wanted.event_type_id).await;
    match known.map_err(|error| Problem::unavailable("event types cannot be read", error))? {
        true => Ok(()),
        false => {
            Err(Problem::field(ProblemCode::BadRequest, "event_type_id", "is not the id of an event type"))
        }
    }
}

impl Registered {
    fn of(endpoint: &NewEndpoint) -> Self {
        Self {
            id: endpoint.id,
            user_id: endpoint.wanted.user_id,
            url: endpoint.wanted.url.as_str().to_owned(),
            created_at: endpoint.created_at.plain(),
            updated_at: endpoint.created_at.plain(),
        }
    }
}
