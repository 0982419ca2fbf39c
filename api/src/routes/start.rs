//! `GET /`: a sign of life for programs, a small page with links for people.

use axum::{
    Json,
    extract::State,
    response::{Html, IntoResponse, Response},
};
use http::{
    HeaderMap,
    header::{ACCEPT, CONTENT_SECURITY_POLICY, VARY, X_CONTENT_TYPE_OPTIONS},
};
use serde_json::json;

use crate::app::App;

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The page loads nothing, runs nothing and may not be framed.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Shows one or the other.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    if !wants_page(&headers) {
        return ([(VARY, "accept")], Json(json!({"status": "ok", "version": VERSION}))).into_response();
    }
    let port = app.context.config.dashboard_addr.port();
    let host = app.context.config.public_url.host_str().unwrap_or("127.0.0.1");
    let page = PAGE.replace("{version}", VERSION).replace("{dashboard}", &format!("http://{host}:{port}/"));
    let headers = [(VARY, "accept"), (CONTENT_SECURITY_POLICY, POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, Html(page)).into_response()
}

/// Browsers name `text/html` first; programs say `*/*` or `application/json`.
fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| {
        let json = accept.find("application/json").unwrap_or(usize::MAX);
        accept.find("text/html").is_some_and(|html| html < json)
    })
}

const PAGE: &str = include_str!("start.html");
