//! `GET /health` of the notifications API, and `GET /metrics`. The other health checks are shared by every listener.

use axum::{Json, extract::State, response::Response};
use http::HeaderMap;
use serde_json::{Value, json};

use super::start::VERSION;
use crate::{app::App, problem::Problem};

/// `GET /health`.
pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "healthy", "version": VERSION}))
}

/// `GET /metrics`; `METRICS_PUBLIC=false` asks for a key.
pub(crate) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    if !app.context.config.metrics_public {
        app.authenticator.authenticate(&headers)?;
    }
    Ok(web::metrics::render(&app.context.telemetry))
}
