//! `/v1/subscribers`: those who get what is announced, by a chat. They belong to no user: an administrator's key makes,
//! shows and deletes them. Made again, a chat is the same subscriber: a bot may call at every `/start`.

mod request;
mod store;
mod view;

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{id::SubscriberId, problem::ProblemCode};
use http::StatusCode;

use self::view::SubscriberOut;
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

/// Makes one: 201; or 200 with the one that has this chat, as it stands now.
pub(crate) async fn create(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<SubscriberOut>), Problem> {
    let row = request::read(json_fields(request, MAX_BODY, &app.limits).await?)?;
    let id = row.id;
    let stored = store::upsert(&app, vec![row]).await?;
    let stored = stored.into_iter().next().ok_or_else(store::vanished)?;
    let status = if stored.id == id { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(stored.into())))
}

/// Makes many, or none. Of two with one chat the last counts, and both are answered with what it became.
pub(crate) async fn create_batch(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<Batch<SubscriberOut>>), Problem> {
    let rows = batch::read(&app, request, "subscribers", request::read).await?;
    let data = store::upsert(&app, rows).await?.into_iter().map(SubscriberOut::from).collect();
    Ok((StatusCode::CREATED, Json(Batch { data })))
}

/// A page of them; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    _: Administrator,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page<SubscriberOut>>, Problem> {
    let limit = Limit::of(&mut query);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let rows = entity::subscriber::queries::page(&app.context.database, before, limit.to_read()).await;
    let mut rows = rows.map_err(unreadable)?;
    let next = limit.cut(&mut rows, |row| row.id);
    Ok(Json(Page::of(rows.into_iter().map(SubscriberOut::from).collect(), next)))
}

/// One of them.
pub(crate) async fn show(
    _: Administrator,
    Id(id): Id<SubscriberId>,
    State(app): State<App>,
) -> Result<Json<SubscriberOut>, Problem> {
    let found = entity::subscriber::queries::find(&app.context.database, id).await.map_err(unreadable)?;
    found.map(|row| Json(row.into())).ok_or_else(unknown)
}

/// Removes one.
pub(crate) async fn delete(
    _: Administrator,
    Id(id): Id<SubscriberId>,
    State(app): State<App>,
) -> Result<StatusCode, Problem> {
    let deleted = entity::subscriber::queries::delete(&app.context.database, id).await.map_err(unwritten)?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(unknown()) }
}

fn unknown() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such subscriber")
}

fn unreadable(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("subscribers cannot be read", error)
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("subscribers were not written", error)
}
