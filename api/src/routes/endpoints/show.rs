//! `GET /v1/endpoints` and `GET /v1/endpoints/{id}`.

use std::str::FromStr;

use axum::{Json, extract::State};
use domain::{
    delivery::LaneState,
    id::{EndpointId, UserId},
};
use entity::endpoint::{queries::Filter, view};
use platform::context::Context;

use super::{unknown, unreadable, view::EndpointOut};
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
    let Context { database, clock, .. } = &app.context;
    let page = view::page(database, clock, reader.scope, filter, limit.to_read()).await;
    let mut rows = page.map_err(unreadable)?;
    let next = limit.cut(&mut rows, |row| row.endpoint.id);
    let shown = rows.into_iter().map(|row| EndpointOut::of(&app.context, row)).collect();
    Ok(Json(Page::of(shown, next)))
}

/// One endpoint.
pub(crate) async fn show(
    reader: Reader,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
) -> Result<Json<EndpointOut>, Problem> {
    let Context { database, clock, .. } = &app.context;
    let found = view::find(database, clock, reader.scope, id).await.map_err(unreadable)?;
    found.map(|found| Json(EndpointOut::of(&app.context, found))).ok_or_else(unknown)
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
