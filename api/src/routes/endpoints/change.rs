//! `PATCH /v1/endpoints/{id}`: what is left out stays as it is, `null` clears what is optional.
//! Only what is given is written, under the lock of its lane: of two changes at once neither is lost.

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{
    endpoint::{CustomHeaders, CustomPayload, EndpointUrl},
    event_type::EventTypeRef,
    id::{EndpointId, UserId},
    signature::Signing,
};
use entity::{endpoint, lane, scope::Scope};
use platform::{context::Context, keys::Keys, queue::Signal};
use sea_orm::{
    ActiveModelTrait, ActiveValue,
    ActiveValue::{NotSet, Set, Unchanged},
    ConnectionTrait, DbErr, EntityTrait, TransactionTrait,
};

use super::{
    MAX_BODY,
    create::{note_unknown, refused},
    new::seal_headers,
    rules,
    types::{self, WriteError},
    unknown,
    view::{self, EndpointOut},
};
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
    let changed = write(&app.context, manager.scope, id, &change).await.map_err(refused)?;
    let shown = changed.ok_or_else(unknown)?;
    app.context.queue.signal(Signal::EndpointChanged);
    tracing::info!(endpoint_id = %id, "endpoint changed");
    Ok(Json(shown))
}

async fn read(app: &App, mut fields: Fields) -> Result<Change, Problem> {
    let change = Change {
        url: fields.change("url", |value| rules::url(value, &app.guard)),
        event_types: fields.change("event_types", rules::event_types),
        description: fields.clearable("description", rules::description),
        headers: fields.clearable("custom_headers", rules::headers),
        payload: fields.clearable_written("custom_payload", rules::object),
        rate_limit: fields.clearable("rate_limit", |value| rules::whole(value, rules::LIMIT)),
        max_in_flight: fields.clearable("max_in_flight", |value| rules::whole(value, rules::LIMIT)),
        timeout_ms: fields.clearable("timeout_ms", |value| rules::whole(value, rules::TIMEOUT_MS)),
        retry_schedule: fields.clearable("retry_schedule", rules::schedule),
        metadata: fields.clearable_written("metadata", rules::object),
        signing: fields.change("signing", rules::signing),
    };
    note_unknown(app, &mut fields, change.event_types.as_deref()).await?;
    fields.done()?;
    Ok(change)
}

async fn write(
    context: &Context,
    scope: Scope,
    id: EndpointId,
    change: &Change,
) -> Result<Option<EndpointOut>, WriteError> {
    let tx = context.database.writer().begin().await?;
    let Some((endpoint, _)) = entity::endpoint::queries::lock(&tx, scope, id).await? else {
        return Ok(None);
    };
    change.apply(context, &tx, &endpoint).await?;
    let shown = view::one(context, &tx, id, scope).await?;
    tx.commit().await?;
    Ok(shown)
}

impl Change {
    async fn apply(
        &self,
        context: &Context,
        tx: &impl ConnectionTrait,
        old: &endpoint::Model,
    ) -> Result<(), WriteError> {
        let now = context.clock.now();
        let (mut row, lane) = (self.row(&context.keys, old.id), self.lane(old.id));
        if let Some(signing) = self.signing {
            row.sealed_secret = signed_by(&context.keys, old, signing)?;
        }
        if !row.is_changed() && !lane.is_changed() && self.event_types.is_none() {
            return Ok(());
        }
        if let Some(asked) = &self.event_types {
            types::register(tx, (old.id.into(), UserId(old.user_id)), asked, now).await?;
        }
        // It moves with every change, also when two fall into one millisecond.
        row.updated_at = Set(now.0.max(old.updated_at.saturating_add(1)));
        endpoint::Entity::update(row).exec(tx).await?;
        write_lane(tx, lane).await?;
        Ok(())
    }

    fn row(&self, keys: &Keys, id: uuid::Uuid) -> endpoint::ActiveModel {
        let json = |object: &Option<CustomPayload>| object.as_ref().map(CustomPayload::to_json);
        let seal = |headers: &Option<CustomHeaders>| seal_headers(keys, id.into(), headers.as_ref()?);
        endpoint::ActiveModel {
            id: Unchanged(id),
            url: set(self.url.as_ref().map(|url| url.as_str().to_owned())),
            description: set(self.description.clone().map(Option::unwrap_or_default)),
            sealed_headers: set(self.headers.as_ref().map(seal)),
            custom_payload: set(self.payload.as_ref().map(json)),
            timeout_ms: set(self.timeout_ms),
            retry_schedule: set(self.retry_schedule.clone()),
            metadata: set(self.metadata.as_ref().map(json)),
            ..Default::default()
        }
    }

    fn lane(&self, id: uuid::Uuid) -> lane::ActiveModel {
        lane::ActiveModel {
            id: Unchanged(id),
            rate_limit: set(self.rate_limit),
            max_in_flight: set(self.max_in_flight),
            ..Default::default()
        }
    }
}

/// The keys as they make such signatures; unchanged where they do.
fn signed_by(
    sealer: &Keys,
    old: &endpoint::Model,
    signing: Signing,
) -> Result<ActiveValue<Vec<u8>>, WriteError> {
    let id = old.id.into();
    let keys = endpoint_secrets::open(sealer, id, &old.sealed_secret).map_err(WriteError::Unreadable)?;
    if keys.signing() == signing {
        return Ok(NotSet);
    }
    Ok(Set(endpoint_secrets::seal(sealer, id, &keys.with_signing(signing))))
}

async fn write_lane(tx: &impl ConnectionTrait, lane: lane::ActiveModel) -> Result<(), DbErr> {
    if lane.is_changed() {
        lane::Entity::update(lane).exec(tx).await?;
    }
    Ok(())
}

fn set<T: Into<sea_orm::Value>>(change: Option<T>) -> ActiveValue<T> {
    change.map_or(NotSet, Set)
}
