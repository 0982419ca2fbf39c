//! `GET /metrics`: what this process counts, for Prometheus. A setting asks for a key.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header::CONTENT_TYPE};

use crate::{app::App, problem::Problem};

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Shows all metrics.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    if !app.context.config.metrics_public {
        app.lock.caller(&headers)?;
    }
    Ok(([(CONTENT_TYPE, TEXT)], app.context.telemetry.render()).into_response())
}
