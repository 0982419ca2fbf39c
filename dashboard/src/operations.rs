//! `GET /metrics` of a worker: its only listener is the dashboard's.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use crate::app::App;

/// Renders the metrics of this process; `METRICS_PUBLIC=false` asks for a key or a session.
pub(crate) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let may_read = app.settings.metrics_public
        || app.sessions.admits(&headers, app.sources.clock.now())
        || app.sessions.admits_program(&headers);
    if !may_read {
        return (StatusCode::UNAUTHORIZED, "metrics need the administrator's key\n").into_response();
    }
    web::metrics::render(&app.telemetry)
}
