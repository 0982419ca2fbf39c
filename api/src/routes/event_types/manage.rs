//! `/v1/event-types`: what one can register for. They belong to no user: an administrator's key changes them.

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{
    clock::Millis,
    event_type::{EventTypeName, EventTypeRef},
    id::EventTypeId,
    problem::ProblemCode,
};
use entity::event_type::{
    Model, queries,
    remove::{Removed, remove},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::App,
    auth::{Administrator, Reader},
    extract::{Fields, Id, Query, json_fields},
    problem::Problem,
    routes::{
        endpoints::validate,
        page::{Limit, Page},
    },
};

/// Largest body, in bytes.
const MAX_BODY: usize = 64 * 1_024;

#[derive(Serialize)]
pub(crate) struct EventTypeOut {
    id: EventTypeId,
    name: String,
    description: String,
    created_at: String,
}

/// Makes one.
pub(crate) async fn create(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<EventTypeOut>), Problem> {
    let row = read(json_fields(request, MAX_BODY, &app.limits).await?, app.context.clock.now())?;
    let inserted = queries::insert(&app.context.database, row.clone()).await;
    if !inserted.map_err(|error| Problem::unavailable("an event type was not stored", error))? {
        return Err(ProblemCode::AlreadyExists.into());
    }
    Ok((StatusCode::CREATED, Json(row.into())))
}

fn read(mut fields: Fields, now: Millis) -> Result<Model, Problem> {
    let name = fields.required("name", new_name);
    let description = fields.optional("description", validate::description).unwrap_or_default();
    let Some(name) = name else {
        return Err(fields.refused());
    };
    fields.done()?;
    let name = name.as_str().to_owned();
    Ok(Model { id: EventTypeId::new().0, name, description, created_at: now.0 })
}

fn new_name(value: &Value) -> Result<EventTypeName, String> {
    let name: EventTypeName = validate::text(value)?.parse().map_err(|e| format!("{e}"))?;
    if name.is_reserved() { Err("is reserved for Hookyard".into()) } else { Ok(name) }
}

/// A page of them; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    _: Reader,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page<EventTypeOut>>, Problem> {
    let limit = Limit::of(&mut query);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let rows = queries::page(&app.context.database, before, limit.to_read()).await;
    let mut rows = rows.map_err(|error| Problem::unavailable("event types cannot be read", error))?;
    let next = limit.cut(&mut rows, |row| row.id);
    Ok(Json(Page::of(rows.into_iter().map(EventTypeOut::from).collect(), next)))
}

/// One of them, by id or name.
pub(crate) async fn show(
    _: Reader,
    Id(asked): Id<String>,
    State(app): State<App>,
) -> Result<Json<EventTypeOut>, Problem> {
    let asked: EventTypeRef = asked.parse().map_err(|_| unknown())?;
    let found = queries::named(&app.context.database, &[asked]).await;
    let found = found.map_err(|error| Problem::unavailable("event types cannot be read", error))?;
    found.into_iter().next().map(|row| Json(row.into())).ok_or_else(unknown)
}

/// Removes one that nothing is registered for, by id or name.
pub(crate) async fn delete(
    _: Administrator,
    Id(asked): Id<String>,
    State(app): State<App>,
) -> Result<StatusCode, Problem> {
    let asked: EventTypeRef = asked.parse().map_err(|_| unknown())?;
    let removed = remove(&app.context.database, &asked).await;
    match removed.map_err(|error| Problem::unavailable("an event type was not deleted", error))? {
        Removed::Gone => Ok(StatusCode::NO_CONTENT),
        Removed::Unknown => Err(unknown()),
        Removed::Seeded => Err(Problem::new(ProblemCode::InUse, "Hookyard itself needs this event type")),
        Removed::Registered => {
            Err(Problem::new(ProblemCode::InUse, "endpoints are registered for this event type"))
        }
    }
}

fn unknown() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such event type")
}

impl From<Model> for EventTypeOut {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            created_at: Millis(row.created_at).rfc3339(),
        }
    }
}
