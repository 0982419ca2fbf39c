//! `/v1/replays`: jobs that make new deliveries of the events of finished ones.

mod create;
mod request;
mod view;

use axum::{Json, extract::State};
use domain::{id::ReplayId, problem::ProblemCode, replay::ReplayState};
use entity::queries::{Scope, replay};
use serde::Serialize;

pub(crate) use self::create::create;
use self::view::ReplayOut;
use crate::{
    app::App,
    auth::{Publisher, Reader},
    extract::{Id, Query},
    problem::Problem,
};

/// Most rows of a page.
const MAX_LIMIT: u64 = 1_000;
/// Rows of a page where nobody asks for another number.
const DEFAULT_LIMIT: u64 = 100;

#[derive(Serialize)]
pub(crate) struct Page {
    data: Vec<ReplayOut>,
    next_cursor: Option<ReplayId>,
}

/// A page of them, newest first; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    reader: Reader,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page>, Problem> {
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let mut rows =
        replay::page(app.context.database.reader(), reader.scope, before, limit + 1).await.map_err(unread)?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.into());
    Ok(Json(Page { data: rows.into_iter().map(ReplayOut::of).collect(), next_cursor }))
}

/// One of them, with how far it is.
pub(crate) async fn show(
    reader: Reader,
    Id(id): Id<ReplayId>,
    State(app): State<App>,
) -> Result<Json<ReplayOut>, Problem> {
    load(&app, reader.scope, id).await.map(Json)
}

/// Stops it where it is.
pub(crate) async fn pause(
    publisher: Publisher,
    Id(id): Id<ReplayId>,
    State(app): State<App>,
) -> Result<Json<ReplayOut>, Problem> {
    turn(&app, publisher.scope, id, &[ReplayState::Running], ReplayState::Paused).await
}

/// Lets it go on.
pub(crate) async fn resume(
    publisher: Publisher,
    Id(id): Id<ReplayId>,
    State(app): State<App>,
) -> Result<Json<ReplayOut>, Problem> {
    turn(&app, publisher.scope, id, &[ReplayState::Paused], ReplayState::Running).await
}

/// Ends it for good; what it has made so far is delivered.
pub(crate) async fn cancel(
    publisher: Publisher,
    Id(id): Id<ReplayId>,
    State(app): State<App>,
) -> Result<Json<ReplayOut>, Problem> {
    let from = [ReplayState::Running, ReplayState::Paused];
    turn(&app, publisher.scope, id, &from, ReplayState::Cancelled).await
}

/// Moves it; one that stands there already stays so, any other is a conflict.
async fn turn(
    app: &App,
    scope: Scope,
    id: ReplayId,
    from: &[ReplayState],
    to: ReplayState,
) -> Result<Json<ReplayOut>, Problem> {
    let database = &app.context.database;
    let unmoved = |error| Problem::unavailable("a replay was not moved", error);
    let now = database.now(&app.context.clock).await.map_err(unmoved)?;
    let ended_at = to.is_finished().then_some(now);
    let turned = replay::turn(database.writer(), scope, id, from, to, ended_at).await.map_err(unread)?;
    let replay = load(app, scope, id).await?;
    if turned {
        tracing::info!(replay_id = %id, state = to.as_str(), "replay moved by hand");
    } else if !replay.is(to) {
        return Err(Problem::new(ProblemCode::Conflict, format!("it is {}", replay.state())));
    }
    Ok(Json(replay))
}

async fn load(app: &App, scope: Scope, id: ReplayId) -> Result<ReplayOut, Problem> {
    let found = replay::find(app.context.database.reader(), scope, id).await.map_err(unread)?;
    found.map(ReplayOut::of).ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such replay"))
}

fn unread(error: sea_orm::DbErr) -> Problem {
    Problem::unavailable("replays cannot be read", error)
}
