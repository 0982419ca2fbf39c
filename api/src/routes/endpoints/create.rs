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
use entity::scope::Scope;
use http::{StatusCode, header::CACHE_CONTROL};
use sea_orm::TransactionTrait;

use super::{
    MAX_BODY,
    new::{Extras, NewEndpoint},
    rules,
    types::{self, WriteError},
    unreadable, unwritten,
    view::{self, EndpointOut},
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
    let shown = write(&app, &endpoint).await.map_err(refused)?;
    tracing::info!(endpoint_id = %endpoint.id, user_id = endpoint.user_id.0, "endpoint created");
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(shown)).into_response())
}

async fn read(app: &App, scope: Scope, mut fields: Fields) -> Result<NewEndpoint, Problem> {
    let user_id = owner(scope, &mut fields);
    let url = fields.required("url", |value| rules::url(value, &app.guard));
    let event_types = fields.required("event_types", rules::event_types);
    note_unknown(app, &mut fields, event_types.as_deref()).await?;
    let headers = fields.optional("custom_headers", rules::headers);
    let payload = fields.optional_written("custom_payload", rules::object);
    let secret = fields.optional("secret", rules::secret);
    let signing = fields.optional("signing", rules::signing);
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
        Scope::Everyone => fields.required("user_id", rules::user_id),
        Scope::User(own) => Some(fields.optional("user_id", rules::user_id).unwrap_or(own)),
    }
}

fn extras(fields: &mut Fields) -> Extras {
    Extras {
        description: fields.optional("description", rules::description).unwrap_or_default(),
        rate_limit: fields.optional("rate_limit", |value| rules::whole(value, rules::LIMIT)),
        max_in_flight: fields.optional("max_in_flight", |value| rules::whole(value, rules::LIMIT)),
        timeout_ms: fields.optional("timeout_ms", |value| rules::whole(value, rules::TIMEOUT_MS)),
        retry_schedule: fields.optional("retry_schedule", rules::schedule),
        metadata: fields.optional_written("metadata", rules::object),
    }
}

/// Event types that are not there are told together with every other fault.
pub(super) async fn note_unknown(
    app: &App,
    fields: &mut Fields,
    asked: Option<&[EventTypeRef]>,
) -> Result<(), Problem> {
    let asked = asked.unwrap_or_default();
    let unknown = types::unknown(app.context.database.reader(), asked).await.map_err(unreadable)?;
    unknown.into_iter().for_each(|index| fields.note(rules::unknown_event_type(index)));
    Ok(())
}

async fn write(app: &App, endpoint: &NewEndpoint) -> Result<Option<EndpointOut>, WriteError> {
    let tx = app.context.database.writer().begin().await?;
    endpoint.insert(&tx, &app.context.keys).await?;
    let shown = view::one(&app.context, &tx, endpoint.id, Scope::Everyone).await?;
    tx.commit().await?;
    Ok(shown.map(|shown| shown.with_secret(endpoint.keys.secret())))
}

/// What a caller is told of a write that failed. Event types can go between check and write.
pub(super) fn refused(error: WriteError) -> Problem {
    match error {
        WriteError::Database(error) => unwritten(error),
        WriteError::Unreadable(problem) => problem,
        WriteError::UnknownTypes(indexes) => Problem {
            errors: indexes.into_iter().map(rules::unknown_event_type).collect(),
            ..ProblemCode::ValidationFailed.into()
        },
    }
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
