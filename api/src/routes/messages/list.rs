//! `GET /messages`: messages in the order of their times. What looks at many rows is a search: few at once, each with a
//! limit of time.

use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use domain::message::MessageView;
use entity::message::queries::{Filter, Row, Total, Way};
use serde::Serialize;

use super::query::Wanted;
use crate::{app::App, auth::Administrator, error_format::DetailError, problem::Problem, search};

#[derive(Serialize)]
struct Listed<'a> {
    data: Vec<MessageView<'a>>,
    total: i64,
    limit: i64,
    offset: i64,
}

/// A page of them. `total` counts all that fit, whatever the page is.
pub(crate) async fn list(
    _: Administrator,
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, DetailError> {
    let wanted = Wanted::parse(query.as_deref().unwrap_or_default())?;
    let total = count(&app, &wanted.filter).await?;
    let rows = if wanted.offset < total { page(&app, &wanted, total).await? } else { vec![] };
    let data = rows.iter().map(Row::view).collect();
    Ok(Json(Listed { data, total, limit: wanted.limit, offset: wanted.offset }).into_response())
}

async fn count(app: &App, filter: &Filter) -> Result<i64, Problem> {
    let counted: Vec<Total> = if filter.is_counted() {
        search::look(app, &filter.count()).await?
    } else {
        search::search(app, filter.count()).await?
    };
    Ok(counted.first().map_or(0, |total| total.messages))
}

async fn page(app: &App, Wanted { filter, limit, offset }: &Wanted, total: i64) -> Result<Vec<Row>, Problem> {
    let way = filter.way(total, *limit, *offset);
    let page = filter.page(way, *limit, *offset);
    if way == Way::Walk { search::look(app, &page).await } else { search::search(app, page).await }
}
