//! `/v1/replays`: jobs that make new deliveries of the events of finished ones.

mod create;
mod request;
mod view;

use axum::{Json, extract::State};
use domain::{id::ReplayId, problem::ProblemCode, replay::ReplayState};
use entity::scope::Scope;
use platform::database::DatabaseError;

pub(crate) use self::create::create;
use self::view::ReplayOut;
use crate::{
    app::App,
    auth::{Publisher, Reader},
    extract::{Id, Query},
    problem::Problem,
    routes::page::{Limit, Page},
};

/// A page of them, newest first; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    reader: Reader,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page<ReplayOut>>, Problem> {
    let limit = Limit::of(&mut query);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let mut rows =
        entity::replay::queries::page(&app.context.database, reader.scope, before, limit.to_read())
            .await
            .map_err(unread)?;
    let next = limit.cut(&mut rows, |row| row.id);
    Ok(Json(Page::of(rows.into_iter().map(ReplayOut::of).collect(), next)))
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
    let turned =
        entity::replay::queries::turn(database, scope, id, from, to, ended_at).await.map_err(unread)?;
    let replay = load(app, scope, id).await?;
    if turned {
        tracing::info!(replay_id = %id, state = to.as_str(), "replay moved by hand");
    } else if !replay.is(to) {
        return Err(Problem::new(ProblemCode::Conflict, format!("it is {}", replay.state())));
    }
    Ok(Json(replay))
}

async fn load(app: &App, scope: Scope, id: ReplayId) -> Result<ReplayOut, Problem> {
    let found = entity::replay::queries::find(&app.context.database, scope, id).await.map_err(unread)?;
    found.map(ReplayOut::of).ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such replay"))
}

fn unread(error: DatabaseError) -> Problem {
    Problem::unavailable("replays cannot be read", error)
}
