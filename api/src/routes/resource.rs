//! Resources that belong to no user: an administrator's key makes, lists, shows and deletes them. One set of handlers for all;
//! what differs is a [`Resource`].

use std::str::FromStr;

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{clock::Millis, problem::ProblemCode};
use http::StatusCode;
use platform::database::{Database, DatabaseError};
use serde::Serialize;
use uuid::Uuid;

use super::{
    batch::{self, Batch},
    page::{Limit, Page},
};
use crate::{
    app::App,
    auth::Administrator,
    extract::{Fields, Id, Query, json_fields},
    problem::Problem,
};

/// What one resource is: how its rows are read from a body, stored, found and shown.
pub(crate) trait Resource: 'static {
    /// Its id.
    type Id: FromStr + Send;
    /// Its row.
    type Row: Send;
    /// What callers see of a row.
    type Out: Serialize + Send;

    /// The member of a batch that lists them.
    const PLURAL: &'static str;
    /// The words of a 404.
    const MISSING: &'static str;
    /// The words of the log when they cannot be read.
    const UNREADABLE: &'static str;
    /// The words of the log when they cannot be written.
    const UNWRITTEN: &'static str;
    /// Largest body of one, in bytes.
    const MAX_BODY: usize;

    /// Reads one; every fault is named at once.
    fn read(fields: Fields, now: Millis) -> Result<Self::Row, Problem>;

    /// The id of a row.
    fn id(row: &Self::Row) -> Uuid;

    /// Stores all of them, or none, in one statement. Returns them as they stand then, in their order.
    fn store(app: &App, rows: Vec<Self::Row>)
    -> impl Future<Output = Result<Vec<Self::Row>, Problem>> + Send;

    /// Finds at most `limit` of them, those before `before` only, newest first.
    fn page(
        database: &Database,
        before: Option<Self::Id>,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<Self::Row>, DatabaseError>> + Send;

    /// Finds one.
    fn find(
        database: &Database,
        id: Self::Id,
    ) -> impl Future<Output = Result<Option<Self::Row>, DatabaseError>> + Send;

    /// Removes one; whether there was one.
    fn delete(database: &Database, id: Self::Id) -> impl Future<Output = Result<bool, DatabaseError>> + Send;

    /// Shows one that was just stored.
    fn stored(row: Self::Row) -> Self::Out;

    /// Shows rows that were found, in their order.
    fn found(
        _app: &App,
        rows: Vec<Self::Row>,
    ) -> impl Future<Output = Result<Vec<Self::Out>, Problem>> + Send {
        let shown = rows.into_iter().map(Self::stored).collect();
        std::future::ready(Ok(shown))
    }

    /// The 503 of rows that cannot be read.
    fn unreadable(error: DatabaseError) -> Problem {
        Problem::unavailable(Self::UNREADABLE, error)
    }

    /// The 503 of rows that were not written.
    fn unwritten(error: DatabaseError) -> Problem {
        Problem::unavailable(Self::UNWRITTEN, error)
    }
}

/// Makes one: 201; or 200 with the one that it is the same as, as it stands now.
pub(crate) async fn create<R: Resource>(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<R::Out>), Problem> {
    let fields = json_fields(request, R::MAX_BODY, &app.limits).await?;
    let row = R::read(fields, app.context.clock.now())?;
    let id = R::id(&row);
    let Some(stored) = R::store(&app, vec![row]).await?.pop() else {
        return Err(Problem::internal("what was written is not there", R::PLURAL));
    };
    let status = if R::id(&stored) == id { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(R::stored(stored))))
}

/// Makes many, or none.
pub(crate) async fn create_batch<R: Resource>(
    _: Administrator,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<Batch<R::Out>>), Problem> {
    let now = app.context.clock.now();
    let rows = batch::read(&app, request, R::PLURAL, |fields| R::read(fields, now)).await?;
    let data = R::store(&app, rows).await?.into_iter().map(R::stored).collect();
    Ok((StatusCode::CREATED, Json(Batch { data })))
}

/// A page of them; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list<R: Resource>(
    _: Administrator,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page<R::Out>>, Problem> {
    let limit = Limit::of(&mut query);
    let before = query.parsed("cursor", "must be the next_cursor of a page");
    query.done()?;
    let rows = R::page(&app.context.database, before, limit.to_read()).await;
    let mut rows = rows.map_err(R::unreadable)?;
    let next = limit.cut(&mut rows, R::id);
    Ok(Json(Page::of(R::found(&app, rows).await?, next)))
}

/// One of them.
pub(crate) async fn show<R: Resource>(
    _: Administrator,
    Id(id): Id<R::Id>,
    State(app): State<App>,
) -> Result<Json<R::Out>, Problem> {
    let found = R::find(&app.context.database, id).await.map_err(R::unreadable)?;
    let shown = R::found(&app, found.into_iter().collect()).await?;
    shown.into_iter().next().map(Json).ok_or_else(missing::<R>)
}

/// Removes one.
pub(crate) async fn delete<R: Resource>(
    _: Administrator,
    Id(id): Id<R::Id>,
    State(app): State<App>,
) -> Result<StatusCode, Problem> {
    let deleted = R::delete(&app.context.database, id).await.map_err(R::unwritten)?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(missing::<R>()) }
}

fn missing<R: Resource>() -> Problem {
    Problem::new(ProblemCode::NotFound, R::MISSING)
}
