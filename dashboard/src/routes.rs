//! The list of pages, and what every request passes before it gets to one.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{Version, header};

use crate::{
    app::App,
    assets, operations,
    pages::{delivery, errors, live, login, overview, upload},
    problem::{Problem, dress},
    security::{headers, origin},
};

/// Largest form.
const FORM_LIMIT: usize = 8 * 1024;

/// Every page and what stands before them.
pub(crate) fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(overview::page))
        .route("/fragments/counters", get(overview::fragments::counters))
        .route("/fragments/queues", get(overview::fragments::queues))
        .route("/fragments/processes", get(overview::fragments::processes))
        .route("/fragments/deliveries", get(overview::fragments::deliveries))
        .route("/fragments/errors", get(overview::fragments::errors))
        .route("/fragments/minutes", get(overview::fragments::minutes))
        .route("/fragments/delivery/{id}", get(delivery::fragment))
        .route("/deliveries/{id}", get(delivery::page))
        .route("/uploads/{id}", get(upload::page))
        .route("/errors", get(errors::page))
        .route("/live", get(live::stream))
        .route_layer(from_fn_with_state(app.clone(), login::require_session));
    let open = Router::new()
        .route("/login", get(login::page).post(login::submit))
        .route("/logout", post(login::end))
        .route("/assets/{name}", get(assets::serve))
        .route("/metrics", get(operations::metrics))
        .route("/health/live", get(operations::live))
        .route("/health/ready", get(operations::ready));
    pages
        .merge(open)
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(from_fn_with_state(app.clone(), dress))
        .layer(tower_http::catch_panic::CatchPanicLayer::new())
        .layer(from_fn(headers::add))
        .with_state(app)
}

fn is_probe(path: &str) -> bool {
    path == "/metrics" || path.starts_with("/health/")
}

/// Refuses names that may have been rebound, and foreign pages that would change something.
async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let (headers, uri) = (request.headers(), request.uri());
    if origin::host(headers, uri).is_none() && !headers.contains_key(header::HOST) {
        // Every client of HTTP/1.1 names a host. Load balancers probe by HTTP/1.0 without.
        return match request.version() == Version::HTTP_10 && is_probe(uri.path()) {
            true => next.run(request).await,
            false => Problem::BadRequest.into_response(),
        };
    }
    if !app.settings.names.include(origin::host(headers, uri).unwrap_or_default()) {
        return Problem::ForeignHost.into_response();
    }
    if !origin::may_write(request.method(), headers, uri) {
        return Problem::ForeignOrigin.into_response();
    }
    next.run(request).await
}
