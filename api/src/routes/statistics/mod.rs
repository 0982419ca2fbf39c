//! `GET /api/stats` and its parts: what placements, notices and users amount to. Each number is counted when it is asked
//! for, by searches, which are few at once and have a limit of time.

mod notices;
mod placements;
mod users;

use axum::{Json, extract::State};
use serde::Serialize;

use self::{notices::NoticeStats, placements::PlacementStats, users::UserStats};
use crate::{app::App, auth::Administrator, problem::Problem};

/// All of them. The parts are counted one after the other: not of one moment.
#[derive(Serialize)]
pub(crate) struct Stats {
    placement_stats: PlacementStats,
    notice_stats: NoticeStats,
    user_stats: UserStats,
}

/// `GET /api/stats`.
pub(crate) async fn all(_: Administrator, State(app): State<App>) -> Result<Json<Stats>, Problem> {
    Ok(Json(Stats {
        placement_stats: placements::count(&app).await?,
        notice_stats: notices::count(&app).await?,
        user_stats: users::count(&app).await?,
    }))
}

/// `GET /api/stats/placements`.
pub(crate) async fn placements(
    _: Administrator,
    State(app): State<App>,
) -> Result<Json<PlacementStats>, Problem> {
    placements::count(&app).await.map(Json)
}

/// `GET /api/stats/notices`.
pub(crate) async fn notices(_: Administrator, State(app): State<App>) -> Result<Json<NoticeStats>, Problem> {
    notices::count(&app).await.map(Json)
}

/// `GET /api/stats/users`.
pub(crate) async fn users(_: Administrator, State(app): State<App>) -> Result<Json<UserStats>, Problem> {
    users::count(&app).await.map(Json)
}

/// The one row of a statement that has one.
fn only<Row>(rows: Vec<Row>) -> Result<Row, Problem> {
    rows.into_iter().next().ok_or_else(|| Problem::internal("a count counted nothing", "no row"))
}
