//! `/v1/notices`: what is announced to everybody, once on each channel. They belong to no user: an administrator's key
//! makes, shows and deletes them; nothing here announces them.

mod request;
mod store;
mod view;

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{id::NoticeId, problem::ProblemCode};
use http::StatusCode;

use self::view::NoticeOut;
use super::{
    batch::{self, Batch},
    page::{Limit, Page},
};
use crate::{
    app::App,
    auth::Administrator,
    extract::{Id, Query, json_fields},
    problem::Problem,
};

/// Largest body, in bytes: the longest message may come with every character escaped.
const MAX_BODY: usize = 256 * 1_024;

/// Makes one.
pub(crate) async fn create(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<NoticeOut>), Problem> {
    let fields = json_fields(request, MAX_BODY, &app.limits).await?;
    let row = request::read(fields, app.context.clock.now())?;
    store::insert(&app, std::slice::from_ref(&row)).await?;
    Ok((StatusCode::CREATED, Json(NoticeOut::unsent(row))))
}

/// Makes many, or none.
pub(crate) async fn create_batch(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<Batch<NoticeOut>>), Problem> {
    let now = app.context.clock.now();
    let rows = batch::read(&app, request, "notices", |fields| request::read(fields, now)).await?;
    store::insert(&app, &rows).await?;
    let data = rows.into_iter().map(NoticeOut::unsent).collect();
    Ok((StatusCode::CREATED, Json(Batch { data })))
}

/// A page of them; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    _: Administrator,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page<NoticeOut>>, Problem> {
    let limit = Limit::of(&mut query);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let rows = entity::notice::queries::page(&app.context.database, before, limit.to_read()).await;
    let mut rows = rows.map_err(unreadable)?;
    let next = limit.cut(&mut rows, |row| row.id);
    Ok(Json(Page::of(view::with_broadcasts(&app, rows).await?, next)))
}

/// One of them.
pub(crate) async fn show(
    _: Administrator,
    Id(id): Id<NoticeId>,
    State(app): State<App>,
) -> Result<Json<NoticeOut>, Problem> {
    let found = entity::notice::queries::find(&app.context.database, id).await.map_err(unreadable)?;
    let shown = view::with_broadcasts(&app, found.into_iter().collect()).await?;
    shown.into_iter().next().map(Json).ok_or_else(unknown)
}

/// Removes one. What it owes to recipients by then is still delivered.
pub(crate) async fn delete(
    _: Administrator,
    Id(id): Id<NoticeId>,
    State(app): State<App>,
) -> Result<StatusCode, Problem> {
    let deleted = entity::notice::queries::delete(&app.context.database, id).await.map_err(unwritten)?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(unknown()) }
}

fn unknown() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such notice")
}

fn unreadable(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("notices cannot be read", error)
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("notices were not written", error)
}
