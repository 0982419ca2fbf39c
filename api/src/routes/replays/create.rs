//! `POST /v1/replays`: fixes the set, counts it, and leaves a job that the workers find.

use std::time::Duration;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use domain::{
    clock::Millis,
    id::{ReplayId, first_id_at},
    problem::ProblemCode,
    replay::{MAX_TOTAL, MAX_UNFINISHED, ReplayState},
};
use entity::{
    replay::{
        Model,
        queries::{self, Set, unfinished},
    },
    scope::Scope,
};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{request::Wanted, unread, view::ReplayOut};
use crate::{
    app::App,
    auth::Publisher,
    extract::{json_fields, no_object_is_400},
    problem::Problem,
    search,
};

/// Largest body, in bytes.
const MAX_BODY: usize = 16 * 1_024;
/// How far ahead of the database's clock that of a process may be: ids beyond it belong to no event yet.
const SKEW: Duration = Duration::from_secs(3_600);

/// Says how many deliveries are meant, or starts the replay.
pub(crate) async fn create(
    publisher: Publisher,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let fields = json_fields(request, MAX_BODY, &app.limits).await.map_err(no_object_is_400)?;
    let mut wanted = Wanted::read(fields)?;
    limit_to(publisher.scope, &mut wanted)?;
    let now = app.context.database.now(&app.context.clock).await;
    let now = now.map_err(|error| Problem::unavailable("a replay was not made", error))?;
    let set = set_of(&wanted, now);
    let total = count(&app, &set).await?;
    if wanted.dry_run {
        return Ok(Json(json!({"total": total})).into_response());
    }
    few_enough(&app, &wanted).await?;
    let row = row_of(&wanted, &set, total);
    queries::insert(&app.context.database, row.clone()).await.map_err(unread)?;
    tracing::info!(replay_id = %row.id, total, "replay started");
    Ok((StatusCode::ACCEPTED, Json(ReplayOut::of(row))).into_response())
}

/// A user's key replays that user's deliveries and no others.
fn limit_to(scope: Scope, wanted: &mut Wanted) -> Result<(), Problem> {
    let Scope::User(own) = scope else { return Ok(()) };
    match wanted.user_id.replace(own) {
        Some(other) if other != own => Err(ProblemCode::Forbidden.into()),
        _ => Ok(()),
    }
}

fn set_of(wanted: &Wanted, now: Millis) -> Set {
    Set {
        user_id: wanted.user_id,
        endpoint_id: wanted.endpoint_id,
        of_state: wanted.of_state,
        event_type: wanted.event_type.clone(),
        since: wanted.since,
        until: wanted.until,
        after: Uuid::nil(),
        bound: first_id_at(now + SKEW),
        ended_by: now,
    }
}

async fn count(app: &App, set: &Set) -> Result<i64, Problem> {
    let found: Vec<(i64,)> = search::search(app, set.count(MAX_TOTAL + 1)).await?;
    let total = found.first().map_or(0, |(total,)| *total);
    if total <= MAX_TOTAL {
        return Ok(total);
    }
    let rule = format!("fits more than {MAX_TOTAL} deliveries: narrow it, by since and until for example");
    Err(Problem::field(ProblemCode::ValidationFailed, "filter", rule))
}

async fn few_enough(app: &App, wanted: &Wanted) -> Result<(), Problem> {
    let open = unfinished(&app.context.database, wanted.user_id).await.map_err(unread)?;
    if open < MAX_UNFINISHED {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::Conflict, format!("{open} replays are not finished, no more are taken on")))
}

fn row_of(wanted: &Wanted, set: &Set, total: i64) -> Model {
    Model {
        id: ReplayId::new().0,
        state: ReplayState::Running.as_str().to_owned(),
        user_id: set.user_id.map(|user| user.0),
        endpoint_id: set.endpoint_id.map(|endpoint| endpoint.0),
        of_state: set.of_state.as_str().to_owned(),
        event_type: set.event_type.clone(),
        since: set.since.map(|at| at.0),
        until: set.until.map(|at| at.0),
        rate: wanted.rate,
        next_at: set.ended_by.0,
        cursor: set.after,
        bound: set.bound,
        total,
        done: 0,
        skipped: 0,
        created_at: set.ended_by.0,
        finished_at: None,
    }
}
