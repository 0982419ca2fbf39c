//! `PATCH /v1/endpoints/{id}`: what is left out stays as it is, `null` clears what is optional.

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{
    endpoint::{CustomHeaders, CustomPayload, EndpointUrl},
    event_type::EventTypeRef,
    id::EndpointId,
    signature::Signing,
};
use entity::endpoint::{Model, change};
use platform::{context::Context, keys::Keys, queue::Signal};

use super::{MAX_BODY, create::note_unknown, new::seal_headers, unknown, validate, view::EndpointOut};
use crate::{
    app::App,
    auth::Manager,
    extract::{Fields, Id, json_fields},
    problem::Problem,
    routes::endpoint_secrets,
};

/// What is to be different. The outer `None`: stays; the inner one: is cleared.
struct Change {
    url: Option<EndpointUrl>,
    event_types: Option<Vec<EventTypeRef>>,
    description: Option<Option<String>>,
    headers: Option<Option<CustomHeaders>>,
    payload: Option<Option<CustomPayload>>,
    rate_limit: Option<Option<i32>>,
    max_in_flight: Option<Option<i32>>,
    timeout_ms: Option<Option<i32>>,
    retry_schedule: Option<Option<String>>,
    metadata: Option<Option<CustomPayload>>,
    signing: Option<Signing>,
}

/// Changes an endpoint.
pub(crate) async fn change(
    manager: Manager,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
    request: Request,
) -> Result<Json<EndpointOut>, Problem> {
    let change = read(&app, json_fields(request, MAX_BODY, &app.limits).await?).await?;
    let Context { database, clock, keys, .. } = &app.context;
    let sealed = |old: &Model| change.sealed(keys, old);
    let changed = change::change(database, clock, manager.scope, id, sealed).await?;
    let shown = EndpointOut::of(&app.context, changed.ok_or_else(unknown)?);
    app.context.queue.signal(Signal::EndpointChanged);
    tracing::info!(endpoint_id = %id, "endpoint changed");
    Ok(Json(shown))
}

async fn read(app: &App, mut fields: Fields) -> Result<Change, Problem> {
    let change = Change {
        url: fields.change("url", |value| validate::url(value, &app.guard)),
        event_types: fields.change("event_types", validate::event_types),
        description: fields.clearable("description", validate::description),
        headers: fields.clearable("custom_headers", validate::headers),
        payload: fields.clearable_written("custom_payload", validate::object),
        rate_limit: fields.clearable("rate_limit", |value| validate::whole(value, validate::LIMIT)),
        max_in_flight: fields.clearable("max_in_flight", |value| validate::whole(value, validate::LIMIT)),
        timeout_ms: fields.clearable("timeout_ms", |value| validate::whole(value, validate::TIMEOUT_MS)),
        retry_schedule: fields.clearable("retry_schedule", validate::schedule),
        metadata: fields.clearable_written("metadata", validate::object),
        signing: fields.change("signing", validate::signing),
    };
    note_unknown(app, &mut fields, change.event_types.as_deref()).await?;
    fields.done()?;
    Ok(change)
}

impl Change {
    /// It as it is stored over `old`.
    fn sealed(&self, keys: &Keys, old: &Model) -> Result<change::Change, Problem> {
        let id = old.id.into();
        let json = |object: &Option<CustomPayload>| object.as_ref().map(CustomPayload::to_json);
        let seal = |headers: &Option<CustomHeaders>| seal_headers(keys, id, headers.as_ref()?);
        let resign = |signing| signed_by(keys, old, signing);
        Ok(change::Change {
            url: self.url.as_ref().map(|url| url.as_str().to_owned()),
            event_types: self.event_types.clone(),
            description: self.description.clone().map(Option::unwrap_or_default),
            sealed_headers: self.headers.as_ref().map(seal),
            custom_payload: self.payload.as_ref().map(json),
            sealed_secret: self.signing.map(resign).transpose()?.flatten(),
            rate_limit: self.rate_limit,
            max_in_flight: self.max_in_flight,
            timeout_ms: self.timeout_ms,
            retry_schedule: self.retry_schedule.clone(),
            metadata: self.metadata.as_ref().map(json),
        })
    }
}

/// The keys as they make such signatures, sealed; none where they do.
fn signed_by(sealer: &Keys, old: &Model, signing: Signing) -> Result<Option<Vec<u8>>, Problem> {
    let id = old.id.into();
    let keys = endpoint_secrets::open(sealer, id, &old.sealed_secret)?;
    if keys.signing() == signing {
        return Ok(None);
    }
    Ok(Some(endpoint_secrets::seal(sealer, id, &keys.with_signing(signing))))
}
