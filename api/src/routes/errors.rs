//! `GET /v1/errors`: the error log, newest first.

use axum::{Json, extract::State};
use domain::{
    clock::Millis,
    id::{ErrorId, UserId},
};
use entity::error_log::Model;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::Reader,
    extract::Query,
    problem::Problem,
    routes::page::{Limit, Page},
};

#[derive(Serialize)]
pub(crate) struct ErrorOut {
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
) -> Result<Json<Page<ErrorOut>>, Problem> {
    let limit = Limit::of(&mut query);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let mut rows =
        entity::error_log::queries::page(&app.context.database, reader.scope, before, limit.to_read())
            .await
            .map_err(|error| Problem::unavailable("the error log cannot be read", error))?;
    let next = limit.cut(&mut rows, |row| row.id);
    Ok(Json(Page::of(rows.into_iter().map(ErrorOut::from).collect(), next)))
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
