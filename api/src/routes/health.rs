//! Health: alive, and ready. Ready asks the database; Redis may be away.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::start::VERSION;
use crate::app::App;

/// `GET /health`.
pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "healthy", "version": VERSION}))
}

/// `GET /health/live`: this process runs.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `GET /health/ready`: this process takes requests.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    if app.stopping.is_cancelled() {
        return not_ready("stopping");
    }
    match app.context.database.ping().await {
        Ok(()) => Json(json!({"status": "ready"})).into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            not_ready("the database does not answer")
        }
    }
}

fn not_ready(reason: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "not ready", "reason": reason}))).into_response()
}
