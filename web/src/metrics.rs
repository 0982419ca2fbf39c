//! The answer of `GET /metrics`. Each listener decides who may read it.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use platform::telemetry::Telemetry;

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Renders every metric of this process.
#[must_use]
pub fn render(telemetry: &Telemetry) -> Response {
    ([(CONTENT_TYPE, TEXT)], telemetry.render()).into_response()
}
