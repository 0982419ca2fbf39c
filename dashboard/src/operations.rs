//! What machines ask the dashboard's listener, which is the only one that a worker has: health and metrics.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::app::App;

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /health/live`: this process runs.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `GET /health/ready`: it is not stopping, and its database answers. A queue that is away is no reason: work goes by
/// the database.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    if app.live.is_closing() {
        return not_ready("stopping");
    }
    match app.sources.database.ping().await {
        Ok(()) => Json(json!({"status": "ready"})).into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            not_ready("the database does not answer")
        }
    }
}

/// `GET /metrics`: what this process counts. A setting asks for a key or a session.
pub(crate) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let now = app.sources.clock.now();
    let may_read = app.settings.metrics_public
        || app.sessions.admits(&headers, now)
        || app.sessions.admits_program(&headers);
    if !may_read {
        return (StatusCode::UNAUTHORIZED, "metrics need the administrator's key\n").into_response();
    }
    ([(CONTENT_TYPE, TEXT)], app.telemetry.render()).into_response()
}

fn not_ready(reason: &str) -> Response {
    let told = json!({"status": "not ready", "reason": reason});
    (StatusCode::SERVICE_UNAVAILABLE, Json(told)).into_response()
}
