//! Health: alive, and ready. Readiness asks the database; it does not depend on Redis.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use platform::database::Database;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// What readiness depends on. A router's state provides it by `FromRef`.
#[derive(Clone)]
pub struct Health {
    /// The database that must answer.
    pub database: Database,
    /// Cancelled when the process begins to stop.
    pub stopping: CancellationToken,
}

/// `GET /health/live`: this process runs.
pub async fn live() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `GET /health/ready`: this process takes requests and its database answers.
pub async fn ready(State(health): State<Health>) -> Response {
    if health.stopping.is_cancelled() {
        return not_ready("stopping");
    }
    match health.database.ping().await {
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
