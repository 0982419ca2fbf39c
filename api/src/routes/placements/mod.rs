//! `/v1/placements`: offers that somebody got, for the statistics. They belong to no user: an administrator's key makes,
//! shows and deletes them.

mod request;
mod store;
mod view;

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{id::PlacementId, problem::ProblemCode};
use http::StatusCode;

use self::view::PlacementOut;
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

/// Largest body, in bytes.
const MAX_BODY: usize = 64 * 1_024;

/// Makes one.
pub(crate) async fn create(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<PlacementOut>), Problem> {
    let fields = json_fields(request, MAX_BODY, &app.limits).await?;
    let row = request::read(fields, app.context.clock.now())?;
    store::insert(&app, std::slice::from_ref(&row)).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Makes many, or none.
pub(crate) async fn create_batch(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<Batch<PlacementOut>>), Problem> {
    let now = app.context.clock.now();
    let rows = batch::read(&app, request, "placements", |fields| request::read(fields, now)).await?;
    store::insert(&app, &rows).await?;
    let data = rows.into_iter().map(PlacementOut::from).collect();
    Ok((StatusCode::CREATED, Json(Batch { data })))
}

/// A page of them; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    _: Administrator,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page<PlacementOut>>, Problem> {
    let limit = Limit::of(&mut query);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let rows = entity::placement::queries::page(&app.context.database, before, limit.to_read()).await;
    let mut rows = rows.map_err(unreadable)?;
    let next = limit.cut(&mut rows, |row| row.id);
    Ok(Json(Page::of(rows.into_iter().map(PlacementOut::from).collect(), next)))
}

/// One of them.
pub(crate) async fn show(
    _: Administrator,
    Id(id): Id<PlacementId>,
    State(app): State<App>,
) -> Result<Json<PlacementOut>, Problem> {
    let found = entity::placement::queries::find(&app.context.database, id).await.map_err(unreadable)?;
    found.map(|row| Json(row.into())).ok_or_else(unknown)
}

/// Removes one.
pub(crate) async fn delete(
    _: Administrator,
    Id(id): Id<PlacementId>,
    State(app): State<App>,
) -> Result<StatusCode, Problem> {
    let deleted = entity::placement::queries::delete(&app.context.database, id).await.map_err(unwritten)?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(unknown()) }
}

fn unknown() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such placement")
}

fn unreadable(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("placements cannot be read", error)
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("placements were not written", error)
}
