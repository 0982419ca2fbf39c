//! Searches that callers word: few at once, and each with a limit of time, so that none of them can stall the service,
//! whatever it looks for.

use domain::problem::ProblemCode;
use entity::{
    sql_builder::SqlBuilder,
    time_limited::{self, Found, ReadError},
};

use crate::{app::App, problem::Problem};

/// The rows of a search, which waits for its turn first.
pub(crate) async fn search<Row: Found>(app: &App, query: SqlBuilder) -> Result<Vec<Row>, Problem> {
    let turn = std::sync::Arc::clone(&app.searching).acquire_owned();
    let Ok(Ok(turn)) = tokio::time::timeout(app.limits.search, turn).await else {
        return Err(ProblemCode::SearchTooSlow.into());
    };
    let app = app.clone();
    // A task of its own: when the caller leaves, the turn lasts until the database is done.
    let search = tokio::spawn(async move {
        let found = look(&app, &query).await;
        drop(turn);
        found
    });
    search.await.map_err(|error| Problem::internal("a search broke", error))?
}

/// The rows of a statement that is quick by an index: it waits for no other search.
pub(crate) async fn look<Row: Found>(app: &App, query: &SqlBuilder) -> Result<Vec<Row>, Problem> {
    let found = time_limited::read(&app.context.database, &app.context.clock, query, app.limits.search);
    found.await.map_err(|error| match error {
        ReadError::TooSlow => ProblemCode::SearchTooSlow.into(),
        ReadError::Database(error) => Problem::unavailable("a search failed", error),
    })
}
