//! `GET /v1/uploads/{id}`: a file that came in, and what was found out about it.

use axum::{Json, extract::State};
use domain::{
    clock::Millis,
    id::{EndpointId, EventId, UploadId, UserId},
    problem::ProblemCode,
};
use entity::upload::Model;
use platform::{context::Context, links};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{app::App, auth::Reader, extract::Id, problem::Problem};

#[derive(Serialize)]
pub(crate) struct UploadOut {
    id: UploadId,
    endpoint_id: EndpointId,
    user_id: UserId,
    state: String,
    reason: Option<String>,
    file_name: String,
    size_bytes: i64,
    sha256: Option<String>,
    media_type: Option<String>,
    facts: Option<Box<RawValue>>,
    event_id: Option<EventId>,
    download_url: String,
    created_at: String,
    finished_at: Option<String>,
}

/// Shows an upload, with a fresh link to its file.
pub(crate) async fn show(
    reader: Reader,
    Id(id): Id<UploadId>,
    State(app): State<App>,
) -> Result<Json<UploadOut>, Problem> {
    let found = entity::upload::queries::find(&app.context.database, reader.scope, id)
        .await
        .map_err(|error| Problem::unavailable("an upload cannot be read", error))?;
    let row = found.ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such upload"))?;
    Ok(Json(UploadOut::of(row, &app.context)))
}

impl UploadOut {
    fn of(row: Model, context: &Context) -> Self {
        let expires = context.clock.now() + context.config.download_link_ttl;
        let link = links::download_url(&context.config.public_url, &context.keys, row.id.into(), expires);
        Self {
            id: row.id.into(),
            endpoint_id: row.endpoint_id.into(),
            user_id: UserId(row.user_id),
            state: row.state,
            reason: row.reason,
            file_name: row.file_name,
            size_bytes: row.size_bytes,
            sha256: row.sha256,
            media_type: row.media_type,
            facts: row.facts.and_then(|facts| RawValue::from_string(facts).ok()),
            event_id: row.event_id.map(EventId),
            download_url: link,
            created_at: Millis(row.created_at).rfc3339(),
            finished_at: row.finished_at.map(|at| Millis(at).rfc3339()),
        }
    }
}
