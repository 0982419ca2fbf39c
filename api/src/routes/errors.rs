//! `GET /v1/errors`: the error log, newest first.

use axum::{Json, extract::State};
use domain::{
    clock::Millis,
    id::{ErrorId, UserId},
};
use entity::{error_log::Model, queries};
use serde::Serialize;
use uuid::Uuid;

use crate::{app::App, auth::Reader, extract::Query, problem::Problem};

/// Most rows of a page.
pub(crate) const MAX_LIMIT: u64 = 1_000;
/// Rows of a page where nobody asks for another number.
const DEFAULT_LIMIT: u64 = 100;

#[derive(Serialize)]
pub(crate) struct Page {
    data: Vec<ErrorOut>,
    next_cursor: Option<ErrorId>,
}

#[derive(Serialize)]
struct ErrorOut {
    id: ErrorId,
    user_id: Option<UserId>,
    kind: String,
    subject_id: Uuid,
    message: String,
    attempt: Option<i32>,
    next_retry_at: Option<String>,
    created_at: String,
}

/// A page of it; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    reader: Reader,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page>, Problem> {
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let mut rows = queries::error_log::page(app.context.database.reader(), reader.scope, before, limit + 1)
        .await
        .map_err(|error| Problem::unavailable("the error log cannot be read", error))?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.into());
    Ok(Json(Page { data: rows.into_iter().map(ErrorOut::from).collect(), next_cursor }))
}

impl From<Model> for ErrorOut {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            user_id: row.user_id.map(UserId),
            kind: row.kind,
            subject_id: row.subject_id,
            message: row.message,
            attempt: row.attempt,
            next_retry_at: row.next_retry_at.map(|at| Millis(at).rfc3339()),
            created_at: Millis(row.created_at).rfc3339(),
        }
    }
}
