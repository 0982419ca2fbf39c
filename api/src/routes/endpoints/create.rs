//! `POST /v1/endpoints`. The answer is the one place beside `/secret` where the signing secret is shown.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use domain::{
    event_type::EventTypeRef,
    id::{EndpointId, UserId},
    problem::ProblemCode,
    signature::{Signing, SigningKeys, SigningSecret},
};
use entity::{
    endpoint::{create::create_and_view, event_types},
    scope::Scope,
};
use http::{StatusCode, header::CACHE_CONTROL};
use platform::context::Context;

use super::{
    MAX_BODY,
    new::{Extras, NewEndpoint},
    unreadable, validate,
    view::EndpointOut,
};
use crate::{
    app::App,
    auth::Manager,
    extract::{Fields, json_fields},
    problem::Problem,
};

/// Makes an endpoint.
pub(crate) async fn create(
    manager: Manager,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let fields = json_fields(request, MAX_BODY, &app.limits).await?;
    let endpoint = read(&app, manager.scope, fields).await?;
    let shown = write(&app.context, &endpoint).await?;
    tracing::info!(endpoint_id = %endpoint.id, user_id = endpoint.user_id.0, "endpoint created");
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(shown)).into_response())
}

async fn read(app: &App, scope: Scope, mut fields: Fields) -> Result<NewEndpoint, Problem> {
    let user_id = owner(scope, &mut fields);
    let url = fields.required("url", |value| validate::url(value, &app.guard));
    let event_types = fields.required("event_types", validate::event_types);
    note_unknown(app, &mut fields, event_types.as_deref()).await?;
    let headers = fields.optional("custom_headers", validate::headers);
    let payload = fields.optional_written("custom_payload", validate::object);
    let secret = fields.optional("secret", validate::secret);
    let signing = fields.optional("signing", validate::signing);
    let extras = extras(&mut fields);
    let (Some(user_id), Some(url), Some(event_types)) = (user_id, url, event_types) else {
        return Err(fields.refused());
    };
    fields.done()?;
    if !scope.covers(user_id) {
        return Err(ProblemCode::Forbidden.into());
    }
    Ok(NewEndpoint {
        id: EndpointId::new(),
        user_id,
        url,
        event_types,
        headers: headers.unwrap_or_default(),
        payload,
        keys: SigningKeys::new(secret.unwrap_or_else(SigningSecret::generate))
            .with_signing(signing.unwrap_or(Signing::Hmac)),
        extras,
        created_at: app.context.clock.now(),
    })
}

/// An administrator names the user; a user's key need not.
fn owner(scope: Scope, fields: &mut Fields) -> Option<UserId> {
    match scope {
        Scope::Everyone => fields.required("user_id", validate::user_id),
        Scope::User(own) => Some(fields.optional("user_id", validate::user_id).unwrap_or(own)),
    }
}

fn extras(fields: &mut Fields) -> Extras {
    Extras {
        description: fields.optional("description", validate::description).unwrap_or_default(),
        rate_limit: fields.optional("rate_limit", |value| validate::whole(value, validate::LIMIT)),
        max_in_flight: fields.optional("max_in_flight", |value| validate::whole(value, validate::LIMIT)),
        timeout_ms: fields.optional("timeout_ms", |value| validate::whole(value, validate::TIMEOUT_MS)),
        retry_schedule: fields.optional("retry_schedule", validate::schedule),
        metadata: fields.optional_written("metadata", validate::object),
    }
}

/// Unknown event types are reported together with all other errors.
pub(super) async fn note_unknown(
    app: &App,
    fields: &mut Fields,
    asked: Option<&[EventTypeRef]>,
) -> Result<(), Problem> {
    let asked = asked.unwrap_or_default();
    let unknown = event_types::unknown(&app.context.database, asked).await.map_err(unreadable)?;
    unknown.into_iter().for_each(|index| fields.note(validate::unknown_event_type(index)));
    Ok(())
}

async fn write(context: &Context, endpoint: &NewEndpoint) -> Result<Option<EndpointOut>, Problem> {
    let new = endpoint.sealed(&context.keys);
    let view = create_and_view(&context.database, &context.clock, new).await?;
    Ok(view.map(|view| EndpointOut::of(context, view).with_secret(endpoint.keys.secret())))
}

#[cfg(test)]
mod tests {
    use domain::id::UserId;
    use entity::scope::Scope;
    use serde_json::{Value, json};

    use super::owner;
    use crate::extract::Fields;

    fn owner_of(scope: Scope, body: Value) -> Option<i64> {
        let mut fields = Fields::of(body).unwrap_or_else(|problem| panic!("{problem:?}"));
        owner(scope, &mut fields).filter(|_| fields.done().is_ok()).map(|user| user.0)
    }

    #[test]
    fn an_administrator_names_the_user_and_a_users_key_need_not() {
        assert_eq!(owner_of(Scope::Everyone, json!({"user_id": 7})), Some(7));
        assert_eq!(owner_of(Scope::Everyone, json!({})), None);
        let own = Scope::User(UserId(7));
        assert_eq!(owner_of(own, json!({})), Some(7));
        assert_eq!(owner_of(own, json!({"user_id": 7})), Some(7));
        assert_eq!(owner_of(own, json!({"user_id": 8})), Some(8), "refused by its scope: 403");
        assert_eq!(owner_of(own, json!({"user_id": "7"})), None);
    }
}
