//! The error log, page by page.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Query, State, rejection::QueryRejection};
use domain::id::ErrorId;
use entity::{error_log::queries, scope::Scope};
use serde::Deserialize;
use uuid::Uuid;

use super::overview::ErrorView;
use crate::{app::App, layout::Layout, problem::Problem};

/// How many errors a page shows.
const PAGE: usize = 50;

/// A page of errors.
#[derive(Template, WebTemplate)]
#[template(path = "errors/page.html")]
pub(crate) struct ErrorsPage {
    layout: Layout,
    errors: Vec<ErrorView>,
    older: Option<Uuid>,
    is_first: bool,
}

/// Where the page begins.
#[derive(Deserialize)]
pub(crate) struct Cursor {
    before: Option<Uuid>,
}

/// Shows errors, newest first.
pub(crate) async fn page(
    State(app): State<App>,
    layout: Layout,
    cursor: Result<Query<Cursor>, QueryRejection>,
) -> Result<ErrorsPage, Problem> {
    let before = cursor.map_err(|_| Problem::BadRequest)?.before;
    let database = &app.sources.database;
    let mut rows = queries::page(database, Scope::Everyone, before.map(ErrorId), PAGE as u64 + 1).await?;
    let has_older = rows.len() > PAGE;
    rows.truncate(PAGE);
    let now = app.sources.clock.now();
    Ok(ErrorsPage {
        layout,
        older: rows.last().filter(|_| has_older).map(|row| row.id),
        errors: rows.iter().map(|row| ErrorView::of(row, now)).collect(),
        is_first: before.is_none(),
    })
}
