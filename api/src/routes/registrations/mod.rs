//! `POST /webhook/register`: an endpoint for one event type.

mod request;

use axum::extract::{Request, State};
use domain::{
    clock::Millis,
    event_type::EventTypeRef,
    id::{EndpointId, UserId},
    problem::ProblemCode,
    signature::SigningSecret,
};
use entity::endpoint::{create::create, event_types::WriteError};
use serde::Serialize;

use self::request::Registration;
use super::{
    endpoints::{Extras, NewEndpoint},
    envelope::Envelope,
};
use crate::{
    app::App,
    auth::Manager,
    extract::{json_fields, no_object_is_400},
    problem::Problem,
};

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
    let fields = json_fields(request, MAX_BODY, &app.limits).await.map_err(no_object_is_400)?;
    let wanted = Registration::read(fields, &app.guard)?;
    if !manager.scope.covers(wanted.user_id) {
        return Err(ProblemCode::Forbidden.into());
    }
    let endpoint = wanted.into_endpoint(SigningSecret::generate(), app.context.clock.now());
    create(&app.context.database, endpoint.sealed(&app.context.keys)).await.map_err(not_stored)?;
    tracing::info!(endpoint_id = %endpoint.id, user_id = endpoint.user_id.0, "webhook registered");
    Ok(Envelope::of("Register Webhook Successfully!", Registered::of(&endpoint)))
}

fn not_stored(error: WriteError) -> Problem {
    match error {
        WriteError::Database(error) => Problem::unavailable("a registration was not stored", error),
        WriteError::UnknownTypes(_) => {
            Problem::field(ProblemCode::BadRequest, "event_type_id", "is not the id of an event type")
        }
    }
}

impl Registration {
    fn into_endpoint(self, secret: SigningSecret, created_at: Millis) -> NewEndpoint {
        NewEndpoint {
            id: EndpointId::new(),
            user_id: self.user_id,
            url: self.url,
            event_types: vec![EventTypeRef::Id(self.event_type_id)],
            headers: self.headers,
            payload: self.payload,
            keys: secret.into(),
            extras: Extras::default(),
            created_at,
        }
    }
}

impl Registered {
    fn of(endpoint: &NewEndpoint) -> Self {
        Self {
            id: endpoint.id,
            user_id: endpoint.user_id,
            url: endpoint.url.as_str().to_owned(),
            created_at: endpoint.created_at.plain(),
            updated_at: endpoint.created_at.plain(),
        }
    }
}
