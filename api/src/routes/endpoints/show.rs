//! `GET /v1/endpoints` and `GET /v1/endpoints/{id}`.

use std::str::FromStr;

use axum::{Json, extract::State};
use domain::{
    delivery::LaneState,
    id::{EndpointId, UserId},
};
use entity::endpoint::queries::Filter;

use super::{
    unknown, unreadable,
    view::{self, EndpointOut},
};
use crate::{
    app::App,
    auth::Reader,
    extract::{Id, Query},
    problem::Problem,
    routes::page::{Limit, Page},
};

/// A page of endpoints, newest first; `cursor` is the `next_cursor` of the page before.
pub(crate) async fn list(
    reader: Reader,
    mut query: Query,
    State(app): State<App>,
) -> Result<Json<Page<EndpointOut>>, Problem> {
    let limit = Limit::of(&mut query);
    let filter = filter(&mut query);
    query.done()?;
    let db = app.context.database.reader();
    let page = entity::endpoint::queries::page(db, reader.scope, filter, limit.to_read()).await;
    let mut rows = page.map_err(unreadable)?;
    let next = limit.cut(&mut rows, |(endpoint, _)| endpoint.id);
    let shown = view::many(&app.context, db, rows).await.map_err(unreadable)?;
    Ok(Json(Page::of(shown, next)))
}

/// One endpoint.
pub(crate) async fn show(
    reader: Reader,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<Json<EndpointOut>, Problem> {
    let found = view::one(&app.context, app.context.database.reader(), id, reader.scope).await;
    found.map_err(unreadable)?.map(Json).ok_or_else(unknown)
}

fn filter(query: &mut Query) -> Filter {
    let state: Option<Shown> = query.parsed("state", "must be active, paused or disabled");
    Filter {
        user: query.parsed("user_id", "must be an integer of at most 64 bits").map(UserId),
        state: state.map(|shown| shown.0),
        before: query.parsed("cursor", "must be the next_cursor of a page"),
    }
}

/// A state that an endpoint is shown in: deleted ones are not shown.
struct Shown(LaneState);

impl FromStr for Shown {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        word.parse().ok().filter(|state| *state != LaneState::Deleted).map(Self).ok_or(())
    }
}
