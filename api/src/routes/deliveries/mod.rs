//! `/v1/deliveries`: what became of each, why, and what one may do about it.

mod filter;
mod manual;
mod view;

use axum::{Json, extract::State};
use domain::{id::DeliveryId, problem::ProblemCode};
use entity::{attempt, scope::Scope};

use self::view::{DeliveryOut, ListedOut};
use crate::{
    app::App,
    auth::{Publisher, Reader},
    extract::{Id, Query},
    problem::Problem,
    routes::page::{Limit, Page},
    search,
};

/// Most times that a delivery is read for one answer. A worker that was taken for dead may leave an attempt that the
/// delivery never counts.
const MOST_READS: u32 = 3;

/// A page of them, newest first; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    reader: Reader,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page<ListedOut>>, Problem> {
    let limit = Limit::of(&mut query);
    let filter = filter::read(&mut query);
    query.done()?;
    let to_read = i64::try_from(limit.to_read()).unwrap_or(i64::MAX);
    let found = entity::delivery::queries::search(reader.scope, &filter, to_read);
    let mut rows: Vec<entity::delivery::queries::Row> = search::search(&app, found).await?;
    let next = limit.cut(&mut rows, |row| row.id);
    Ok(Json(Page::of(rows.into_iter().map(ListedOut::of).collect(), next)))
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
    manual::retry(&app, publisher.scope, id).await?;
    load(&app, publisher.scope, id).await
}

/// Called off.
pub(crate) async fn cancel(
    publisher: Publisher,
    Id(id): Id<DeliveryId>,
    State(app): State<App>,
) -> Result<Json<DeliveryOut>, Problem> {
    manual::cancel(&app, publisher.scope, id).await?;
    load(&app, publisher.scope, id).await
}

/// The row and its attempts are two statements: when an attempt is recorded in between, the row is read again.
async fn load(app: &App, scope: Scope, id: DeliveryId) -> Result<Json<DeliveryOut>, Problem> {
    let mut reads = 0;
    loop {
        let found: Vec<entity::delivery::queries::Row> =
            search::look(app, &entity::delivery::queries::find(scope, id)).await?;
        let Some(row) = found.into_iter().next() else {
            return Err(missing());
        };
        let attempts = entity::delivery::queries::attempts(&app.context.database, id)
            .await
            .map_err(|error| Problem::unavailable("attempts cannot be read", error))?;
        reads += 1;
        if reads < MOST_READS && is_behind(&row, &attempts) {
            continue;
        }
        return Ok(Json(DeliveryOut::of(row, attempts, app.context.config.retry_schedule.attempts())));
    }
}

/// Whether there is an attempt that the row does not know of.
fn is_behind(row: &entity::delivery::queries::Row, attempts: &[attempt::Model]) -> bool {
    attempts.iter().any(|attempt| attempt.number > row.attempts)
}

fn missing() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such delivery")
}
