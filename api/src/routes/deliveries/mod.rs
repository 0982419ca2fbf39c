//! `/v1/deliveries`: what became of each, why, and what one may do about it.

mod filter;
mod hand;
mod view;

use axum::{Json, extract::State};
use domain::{id::DeliveryId, problem::ProblemCode};
use entity::queries::{Scope, delivery};
use serde::Serialize;

use self::view::{DeliveryOut, ListedOut};
use crate::{
    app::App,
    auth::{Publisher, Reader},
    extract::{Id, Query},
    problem::Problem,
    search,
};

/// Most rows of a page.
const MAX_LIMIT: u64 = 1_000;
/// Rows of a page where nobody asks for another number.
const DEFAULT_LIMIT: u64 = 100;

#[derive(Serialize)]
pub(crate) struct Page {
    data: Vec<ListedOut>,
    next_cursor: Option<DeliveryId>,
}

/// A page of them, newest first; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    reader: Reader,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page>, Problem> {
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT);
    let filter = filter::read(&mut query);
    query.done()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let found = delivery::search(reader.scope, &filter, one_more);
    let mut rows: Vec<delivery::Row> = search::search(&app, found).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.into());
    Ok(Json(Page { data: rows.into_iter().map(ListedOut::of).collect(), next_cursor }))
}

/// One of them, with its last attempts.
pub(crate) async fn show(
    reader: Reader,
    Id(id): Id<DeliveryId>,
    State(app): State<App>,
) -> Result<Json<DeliveryOut>, Problem> {
    load(&app, reader.scope, id).await
}

/// Due now, from the beginning of its schedule.
pub(crate) async fn retry(
    publisher: Publisher,
    Id(id): Id<DeliveryId>,
    State(app): State<App>,
) -> Result<Json<DeliveryOut>, Problem> {
    hand::retry(&app, publisher.scope, id).await?;
    load(&app, publisher.scope, id).await
}

/// Called off.
pub(crate) async fn cancel(
    publisher: Publisher,
    Id(id): Id<DeliveryId>,
    State(app): State<App>,
) -> Result<Json<DeliveryOut>, Problem> {
    hand::cancel(&app, publisher.scope, id).await?;
    load(&app, publisher.scope, id).await
}

async fn load(app: &App, scope: Scope, id: DeliveryId) -> Result<Json<DeliveryOut>, Problem> {
    let found: Vec<delivery::Row> = search::look(app, &delivery::find(scope, id)).await?;
    let Some(row) = found.into_iter().next() else {
        return Err(missing());
    };
    let attempts = delivery::attempts(app.context.database.reader(), id)
        .await
        .map_err(|error| Problem::unavailable("attempts cannot be read", error))?;
    Ok(Json(DeliveryOut::of(row, attempts, app.context.config.retry_schedule.attempts())))
}

fn missing() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such delivery")
}
